import { isChatSessions, openChatSessions } from './readers/chat-sessions.js';
import { openCharacters } from './readers/characters.js';
import { openChatGpt } from './readers/chatgpt.js';
import { isConversations, openConversations } from './readers/conversations.js';
import { openDiscord } from './readers/discord.js';
import { isOpenWebUi, openWebUi } from './readers/open-webui.js';
import { openPeerChat } from './readers/peer-chat.js';
import { openServers } from './readers/servers.js';
import { openSlack } from './readers/slack.js';
import { type Source, SourceError } from './source.js';
import { SqliteFile } from './sqlite.js';

/** Every format that can be carried over, by the name that `--from` takes. */
export const SOURCES: Record<string, (location: string, label?: string) => Promise<Source>> = {
  characters: openCharacters,
  'chat-sessions': openChatSessions,
  'peer-chat': openPeerChat,
  conversations: openConversations,
  servers: openServers,
  discord: openDiscord,
  'open-webui': openWebUi,
  chatgpt: openChatGpt,
  slack: openSlack,
};

/** The formats that are SQLite files, and how to tell them. */
const SQLITE: [(file: SqliteFile) => boolean, (location: string) => Promise<Source>][] = [
  [isChatSessions, openChatSessions],
  [isConversations, openConversations],
  [isOpenWebUi, openWebUi],
];

/** Opens an SQLite file as what its tables say it is. Throws SourceError where they say nothing. */
export async function openSqlite(location: string): Promise<Source> {
  const file = await SqliteFile.open(location);
  const tables = file.tables();
  const [, open] = SQLITE.find(([is]) => is(file)) ?? [];
  await file.close();
  if (open) return open(location);
  throw new SourceError(
    `${location} is an SQLite file of no known system (its tables: ${tables.join(', ') || 'none'}).`,
  );
}
