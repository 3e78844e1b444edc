import { CharactersSource } from './readers/characters.js';
import { ChatSessionsSource } from './readers/chat-sessions.js';
import { ConversationsSource } from './readers/conversations.js';
import { PeerChatSource } from './readers/peer-chat.js';
import { ServersSource } from './readers/servers.js';
import { type Source, SourceError } from './source.js';
import { SqliteFile } from './sqlite.js';

/** Every format that can be carried over, by the name that `--from` takes. */
export const SOURCES: Record<string, (location: string, label?: string) => Promise<Source>> = {
  characters: (location, label) => CharactersSource.open(location, label),
  'chat-sessions': (location, label) => ChatSessionsSource.open(location, label),
  'peer-chat': (location, label) => PeerChatSource.open(location, label),
  conversations: (location, label) => ConversationsSource.open(location, label),
  servers: (location, label) => ServersSource.open(location, label),
};

/** Opens an SQLite file as what its tables say it is. Throws SourceError where they say nothing. */
export async function openSqlite(location: string): Promise<Source> {
  const file = await SqliteFile.open(location);
  const [tables, columns] = [file.tables(), file.columns('messages')];
  await file.close();
  if (ChatSessionsSource.recognises(tables)) return ChatSessionsSource.open(location);
  if (ConversationsSource.recognises(tables, columns)) return ConversationsSource.open(location);
  throw new SourceError(
    `${location} is an SQLite file of no known system (its tables: ${tables.join(', ') || 'none'}).`,
  );
}
