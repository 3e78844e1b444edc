import { idIn, listOf, objectOf, textOf } from '../json.js';
import type { RawRow, Row } from '../row.js';
import {
  BrokenRow,
  type OldChannel,
  type OldDirect,
  type OldMembership,
  type OldReaction,
  type OldServer,
  type OldThread,
  type OldUser,
  type Source,
} from '../source.js';
import { UnreadableValue } from '../values.js';
import { type DiscordFile, discordFiles, idOf, messagesIn, timeOfId } from './discord-files.js';
import { readMessage } from './discord-messages.js';
import { discordRooms } from './discord-rooms.js';
import { DiscordSurvey, reactionsOf } from './discord-survey.js';

/** JSON exports of DiscordChatExporter: one file, or a folder of them with a channel, a thread or a part of one each. */
export async function openDiscord(location: string, label = ''): Promise<Source> {
  const { files, others } = await discordFiles(location);
  const survey = await DiscordSurvey.of(files);
  const { servers, memberships, rooms } = discordRooms(files, survey);
  const table = (name: string, rows: RawRow[]) => ({ name, count: () => rows.length, rows: () => rows });
  return {
    system: 'discord',
    label,
    location,
    ownerless: `legacy-user-${Date.now()}`,
    unknownUsers: 'orphan',
    tables: [
      { ...table('users', [...survey.people.values()]), understand: readUser },
      { ...table('servers', servers), understand: readServer },
      { ...table('memberships', memberships), understand: readMembership },
      { ...table('channels', rooms), understand: readRoom },
      {
        name: 'messages',
        count: () => survey.messages,
        rows: () => messageRows(files),
        understand: (row) => readMessage(row, survey),
      },
      { name: 'reactions', count: () => survey.reactions, rows: () => reactionRows(files), understand: readReaction },
    ],
    otherTables: {
      ...Object.fromEntries(others.map((file) => [file, 1])),
      ...(survey.unnamedReactions > 0 && { 'reactions of people who are not named': survey.unnamedReactions }),
    },
    close: () => Promise.resolve(),
  };
}

async function* messageRows(files: readonly DiscordFile[]): AsyncGenerator<RawRow | BrokenRow> {
  for (const file of files) {
    for await (const message of messagesIn(file)) {
      yield message instanceof BrokenRow ? message : { ...message, conversation: file.channel.id };
    }
  }
}

async function* reactionRows(files: readonly DiscordFile[]): AsyncGenerator<RawRow> {
  for (const file of files) {
    for await (const message of messagesIn(file)) {
      if (!(message instanceof BrokenRow)) yield* reactionsOf(String(file.channel.id), message);
    }
  }
}

/** What is left of it is told once for each person. */
function readUser(row: Row): OldUser {
  const id = row.needId('id');
  const name = row.text('name');
  if (row.peek('isBot') === false) row.take('isBot');
  if (row.peek('discriminator') === '0000') row.take('discriminator');
  if (listOf(row.peek('roles')).length === 0) row.take('roles');
  const displayName = row.text('nickname') ?? name;
  return {
    ...{ kind: 'user', id, username: name, email: null, displayName, password: null },
    createdAt: timeOfId(id),
  };
}

function readServer(row: Row): OldServer {
  const isPrivate = row.take('isPrivate') === true;
  const id = row.needId('id');
  return {
    ...{ kind: 'server', id, name: row.has('name') ? row.needName('name') : 'Discord', iconUrl: row.url('iconUrl') },
    ...{ createdBy: null, createdAt: timeOfId(row.id('of') ?? id), isPrivate },
  };
}

function readMembership(row: Row): OldMembership {
  return {
    kind: 'membership',
    id: row.needId('id'),
    server: row.needId('server'),
    user: row.needId('user'),
    role: row.text('role') === 'ADMIN' ? 'ADMIN' : 'MEMBER',
    joinedAt: row.time('joined'),
  };
}

function readRoom(row: Row): OldChannel | OldThread | OldDirect {
  const kind = row.text('kind');
  const id = row.needId('id');
  const createdAt = timeOfId(id);
  if (kind === 'direct') return { kind, id, members: listOf(row.take('members')).map(String), createdAt };
  const name = row.has('name') ? row.needName('name') : 'channel';
  if (kind === 'thread') return { kind, id, channel: row.needId('channel'), root: row.id('root'), name, createdAt };
  return {
    ...{ kind: 'channel', id, server: row.needId('server'), name, topic: row.text('topic'), createdAt },
    type: row.text('type')?.includes('Voice') ? 'VOICE' : 'TEXT',
    position: row.number('position') ?? 0,
    category: row.has('category') ? row.needName('category') : null,
  };
}

function readReaction(row: Row): OldReaction {
  const emoji = objectOf(row.take('emoji'));
  const user = idIn(objectOf(row.take('user')).id);
  const message = row.needId('message');
  const name = textOf(emoji.name);
  if (user === null) throw new UnreadableValue('no user');
  if (name === null) throw new UnreadableValue('no emoji');
  // An emoji of the server's own has an id, and a name that means it only there.
  const custom = textOf(emoji.id) === null ? null : idOf(emoji.id);
  if (custom === null && textOf(emoji.id) !== null) throw new UnreadableValue('no emoji');
  return {
    kind: 'reaction',
    id: `${message}/${custom ?? name}/${user}`,
    conversation: row.needId('conversation'),
    message,
    user,
    emoji: custom === null ? name : `:${name}:`,
    createdAt: null,
  };
}
