import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** 2024-01-15 10:30:00 UTC and this many seconds. */
export const at = (second: number) => new Date(Date.UTC(2024, 0, 15, 10, 30, second));
/** An id as Discord makes them at that time. */
export const snowflake = (second: number, n = 0) =>
  String((BigInt(at(second).getTime() - 1_420_070_400_000) << 22n) + BigInt(n));

export const ADA = person(1, 'ada', { nickname: 'Ada Lovelace' });
export const BOB = person(2, 'bob', {});
export const EVE = person(4, 'eve', {});
export const BOT = person(3, 'robot', { isBot: true });

function person(n: number, name: string, more: object) {
  return {
    ...{
      id: snowflake(-1_000_000, n),
      name,
      discriminator: '0000',
      nickname: name,
      color: null,
      isBot: false,
      roles: [],
    },
    ...{ avatarUrl: `https://cdn.example/${name}.png` },
    ...more,
  };
}

export const GUILD = { id: snowflake(-900_000), name: 'Home', iconUrl: 'https://cdn.example/home.png' };
export const NO_GUILD = { id: '0', name: 'Direct Messages', iconUrl: 'https://cdn.example/0.png' };

type Message = Record<string, unknown> & { id: string };

/** A message as DiscordChatExporter writes it, `second` seconds after the first. */
export function said(second: number, author: object, content: string, more: object = {}): Message {
  return {
    ...{ id: snowflake(second), type: 'Default', timestamp: at(second).toISOString().replace('Z', '+00:00') },
    ...{ timestampEdited: null, callEndedTimestamp: null, isPinned: false, content, author, attachments: [] },
    ...{ embeds: [], stickers: [], reactions: [], mentions: [], inlineEmojis: [] },
    ...more,
  };
}

export function reacted(name: string, users: object[], more: object = {}) {
  return {
    emoji: { id: '', name, code: 'x', isAnimated: false, imageUrl: 'https://x' },
    count: users.length,
    users,
    ...more,
  };
}

export function channel(n: number, name: string, more: object = {}) {
  return {
    id: snowflake(-800_000, n),
    type: 'GuildTextChat',
    categoryId: null,
    category: null,
    name,
    topic: null,
    ...more,
  };
}

/** Writes one file as it is exported. */
export async function discordFile(
  file: string,
  guild: object,
  of: object,
  messages: unknown[],
  end: object = { messageCount: messages.length },
): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  const dateRange = { after: null, before: null };
  const exported = { guild, channel: of, dateRange, exportedAt: '2024-06-01T00:00:00+00:00', messages, ...end };
  await writeFile(file, JSON.stringify(exported, null, 2));
  return file;
}

export const GENERAL = channel(1, 'general', { categoryId: '55', category: 'Text', topic: 'All of it' });
/** The thread of the third message of the channel. */
export const THREAD = {
  ...channel(0, 'Rust?', { type: 'GuildPublicThread', categoryId: GENERAL.id, category: 'general' }),
  id: snowflake(3),
};
const reply = (second: number, of: object = GENERAL) => ({
  type: 'Reply',
  reference: { type: 'Default', messageId: snowflake(second), channelId: (of as { id: string }).id, guildId: GUILD.id },
});

/** A guild with a channel and a thread, and two people who also talk in private; `later` makes of the channel what it is then. */
export async function discordFolder(
  folder: string,
  later = (messages: Message[]): Message[] => messages,
): Promise<string> {
  const general = [
    said(1, ADA, 'Joined the server.', { type: 'GuildMemberJoin' }),
    said(2, ADA, 'Hello @Bobby.', {
      mentions: [{ ...BOB, nickname: 'Bobby' }],
      reactions: [reacted('👍', [BOB, BOT]), reacted('🎉', [BOB])],
    }),
    said(3, BOB, 'Edited now', { timestampEdited: at(90).toISOString(), isPinned: true }),
    said(4, ADA, 'An answer', reply(2)),
    said(5, BOB, '', {
      attachments: [{ id: '1', url: 'https://cdn.example/a.png', fileName: 'a [1].png', fileSizeBytes: 12 }],
    }),
    said(6, BOT, '', {
      embeds: [{ title: 'Build 7', url: 'https://ci.example/7', description: 'passed', fields: [] }],
    }),
    said(7, BOB, 'Pinned a message.', { ...reply(3), type: 'ChannelPinnedMessage' }),
  ];
  await discordFile(path.join(folder, 'general.json'), GUILD, GENERAL, later(general));
  await discordFile(path.join(folder, 'thread.json'), GUILD, THREAD, [
    said(10, BOB, '', { type: '21', reference: { messageId: snowflake(3), channelId: GENERAL.id, guildId: GUILD.id } }),
    said(11, ADA, 'In the thread', { reactions: [reacted('🦀', [ADA])] }),
    said(12, BOB, 'Yes', reply(11, THREAD)),
  ]);
  await discordFile(path.join(folder, 'dm.json'), NO_GUILD, channel(9, 'bob', { type: 'DirectTextChat' }), [
    said(20, ADA, 'Psst', { id: snowflake(20, 1) }),
    said(21, BOB, 'What?', { id: snowflake(21, 1) }),
  ]);
  return folder;
}

/** So much more that was said in a channel, with reactions to some of it. */
export function talk(size: number): Message[] {
  return Array.from({ length: size }, (_, n) =>
    said(1_000 + n, n % 2 === 0 ? ADA : BOB, `message ${n}`, n % 5 === 0 ? { reactions: [reacted('👍', [BOT])] } : {}),
  );
}
