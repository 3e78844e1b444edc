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

export interface OldServer {
  kind: 'server';
  id: string;
  name: string;
  iconUrl: string | null;
  createdBy: string | null;
  createdAt: Date | null;
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
}

export interface OldMessage {
  kind: 'message';
  id: string;
  conversation: string;
  role: 'user' | 'agent' | 'peer' | 'system';
  /** None: the owner of the session, the advocate of a peer session, or the agent, as the role says. */
  author: string | null;
  content: string;
  tokensUsed: number | null;
  metadata: Record<string, unknown> | null;
  /** None: the time of its conversation. */
  createdAt: Date | null;
  /** Its place among the messages of the conversation; equal ones keep the order in which they were read. */
  order: number;
}

/** What the reader itself can tell cannot be carried. */
export interface Unreadable {
  kind: 'unreadable';
  reason: string;
}

export type Entry = OldUser | OldServer | OldMembership | OldSession | OldChannel | OldMessage | Unreadable;

/** One row of the source, as it stands there and as it was understood. */
export interface SourceRow {
  table: string;
  row: unknown;
  entry: Entry;
}

/** An old store, open for reading. A new format is one file that gives this. */
export interface Source {
  readonly system: string;
  /** Tells installations apart whose ids may be the same. */
  readonly label: string;
  readonly location: string;
  /** The name of the account that takes what has no owner. */
  readonly ownerless: { username: string; shared: boolean };
  /** Whether an id that no user row explains becomes an account, or makes the row an orphan. */
  readonly unknownUsers: 'account' | 'orphan';
  /** Rows per table, counted by themselves; the import fails where reading gives another number. */
  count(): Promise<Record<string, number>>;
  /** People and servers first, then rooms, then messages. Twice gives the same rows in the same order. */
  rows(): AsyncIterable<SourceRow>;
  /** Tables and fields that are not carried, by name, with how often they hold something. */
  leftOut(): Record<string, number>;
  close(): Promise<void>;
}

/** The source cannot be used; the message is for the person at the terminal. */
export class SourceError extends Error {}
