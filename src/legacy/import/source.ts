import type { RawRow, Row } from './row.js';

/** A person of the old system. */
export interface OldUser {
  kind: 'user';
  id: string;
  username: string | null;
  email: string | null;
  displayName: string | null;
  /** As it is stored there; what is no known hash is left out. */
  password: string | null;
  createdAt: Date | null;
}

/** The password of a person, where that stands in a table of its own. */
export interface OldPassword {
  kind: 'password';
  user: string;
  password: string | null;
}

export interface OldServer {
  kind: 'server';
  id: string;
  name: string;
  iconUrl: string | null;
  createdBy: string | null;
  createdAt: Date | null;
  /** What was private there: nobody gets in who was not in it, the one that --owner names neither. */
  isPrivate?: boolean;
}

export interface OldMembership {
  kind: 'membership';
  id: string;
  server: string;
  user: string;
  role: 'ADMIN' | 'MODERATOR' | 'MEMBER';
  joinedAt: Date | null;
}

export interface OldSession {
  kind: 'session';
  id: string;
  /** None: it goes to the account of those without one. */
  owner: string | null;
  type: 'agent' | 'peer';
  advocate: string | null;
  agentSlug: string | null;
  /** The one session that a person has with this agent. */
  standing: boolean;
  title: string | null;
  closed: boolean;
  createdAt: Date | null;
  updatedAt: Date | null;
}

export interface OldChannel {
  kind: 'channel';
  id: string;
  server: string;
  name: string;
  type: 'TEXT' | 'VOICE';
  position: number;
  topic: string | null;
  createdAt: Date | null;
  /** The name of the heading that it stands under. */
  category?: string | null;
}

/** A conversation beside a message of a channel or of a direct conversation; its people are those of that. */
export interface OldThread {
  kind: 'thread';
  id: string;
  channel: string;
  /**
   * The message that it hangs on. None, or one that is not there: a message of role system, at the time of the thread,
   * that says its name.
   */
  root: string | null;
  name: string | null;
  createdAt: Date | null;
}

/** One set of people has one of these: of a second one with the same people the reader makes something else. */
export interface OldDirect {
  kind: 'direct';
  id: string;
  /** Two to ten. */
  members: string[];
  createdAt: Date | null;
}

export interface OldMessage {
  kind: 'message';
  id: string;
  conversation: string;
  role: 'user' | 'agent' | 'peer' | 'system';
  /** None: the owner of the session, the advocate of a peer session, or the agent, as the role says. */
  author: string | null;
  /** Where it names people by their ids (`mentionOf`), it is stored with the names that they have here. */
  content: string;
  tokensUsed: number | null;
  metadata: Record<string, unknown> | null;
  /** None: the time of its conversation. */
  createdAt: Date | null;
  /** When the other side of a peer session had read it. */
  readAt?: Date | null;
  /**
   * Its place among the messages of the conversation; equal ones keep the order in which they were read. Milliseconds,
   * where a thread without a root may have to find its place among them.
   */
  order: number;
  editedAt?: Date | null;
  /** The id of an earlier message of the same conversation; where there is none, the reply is left out by name. */
  replyTo?: string | null;
  /** The newest fifty of a conversation stay pinned. */
  pinned?: boolean;
  /** The ids of the people it names, where the source tells; else they are found by `@username` in its text. */
  mentions?: string[];
}

/** An earlier, or another, form of a message. */
export interface OldRevision {
  kind: 'revision';
  id: string;
  conversation: string;
  message: string;
  content: string;
  createdAt: Date | null;
}

/** What one person answered to a message without words. */
export interface OldReaction {
  kind: 'reaction';
  /** Of the message, the emoji and the person, where it has none of its own. */
  id: string;
  conversation: string;
  message: string;
  user: string;
  /** One emoji, or a short `:name:`. */
  emoji: string;
  createdAt: Date | null;
}

export type Entry =
  | OldUser
  | OldPassword
  | OldServer
  | OldMembership
  | OldSession
  | OldChannel
  | OldThread
  | OldDirect
  | OldMessage
  | OldRevision
  | OldReaction;

/** A line or element of the source that is no row at all. */
export class BrokenRow {
  constructor(
    readonly reason: string,
    readonly text: string,
  ) {}
}

export interface SourceTable {
  name: string;
  /** How many rows it has, counted by itself: the import fails where reading gives another number. */
  count: () => Promise<number> | number;
  /** Twice gives the same rows in the same order. */
  rows: () => AsyncIterable<RawRow | BrokenRow> | Iterable<RawRow | BrokenRow>;
  /** Throws UnreadableValue where the row cannot be carried. */
  understand: (row: Row) => Entry;
}

/** An old store, open for reading. A new format is one file that gives this. */
export interface Source {
  readonly system: string;
  /** Tells installations apart whose ids may be the same. */
  readonly label: string;
  readonly location: string;
  /** The name of the account that takes what has no owner. */
  readonly ownerless: string;
  /** Whether an id that no user row explains becomes an account, or makes the row an orphan. */
  readonly unknownUsers: 'account' | 'orphan';
  /** People and servers first, then rooms, then messages. */
  readonly tables: readonly SourceTable[];
  /** Tables that are not carried, by name, with how many rows they hold. */
  readonly otherTables: Readonly<Record<string, number>>;
  close(): Promise<void>;
}

/** The source cannot be used, or a command cannot be done; the message is for the person at the terminal. */
export class SourceError extends Error {}
