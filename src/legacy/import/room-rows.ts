import type { OldChannel, OldDirect, OldSession, OldThread } from './source.js';
import type { Field } from './staging.js';
import { fingerprint, namedId } from './values.js';

/** What stands of a room in the stage, by its columns; what a kind has not is empty. */
interface RoomRow {
  kind: 'session' | 'channel' | 'direct' | 'thread';
  owner?: string;
  agent?: string | null;
  advocate?: string | null;
  server?: string;
  people?: string[];
  parent?: string;
  root?: string | null;
  type?: string;
  title?: string | null;
  topic?: string | null;
  category?: string | null;
  closed?: boolean;
  standing?: boolean;
  position?: number;
  updatedAt?: Date | null;
}

export function sessionRow(
  scope: string,
  session: OldSession,
  people: { owner: string; agent: string | null; advocate: string | null },
): Field[] {
  const { type, title, closed, standing, updatedAt } = session;
  return roomFields(scope, session, { kind: 'session', ...people, type, title, closed, standing, updatedAt });
}

export function channelRow(scope: string, channel: OldChannel, server: string): Field[] {
  const { type, name, topic, position, category } = channel;
  const closed = type === 'VOICE';
  return roomFields(scope, channel, {
    ...{ kind: 'channel', server, type, title: name, topic, category: category ?? null, closed, position },
  });
}

/** What it has from its channel is found once all are read. */
export function threadRow(scope: string, thread: OldThread): Field[] {
  return roomFields(scope, thread, { kind: 'thread', parent: thread.channel, root: thread.root });
}

/** In the order of their ids: the app knows the conversation by them. */
export function directRow(scope: string, direct: OldDirect, people: string[]): Field[] {
  return roomFields(scope, direct, { kind: 'direct', people: [...people].sort() });
}

function roomFields(scope: string, { id, createdAt }: { id: string; createdAt: Date | null }, room: RoomRow): Field[] {
  const category = room.category && room.server ? namedId(null, scope, 'category', room.server, room.category) : null;
  return [
    ...[id, namedId(createdAt, scope, 'room', id), room.kind, room.owner ?? null, room.agent ?? null],
    ...[room.advocate ?? null, room.server ?? null, room.people ?? null, room.parent ?? null, room.root ?? null],
    ...[room.type ?? null, room.title ?? null, room.topic ?? null, category, room.category ?? null],
    ...[room.closed ?? false, room.standing ?? false, room.position ?? 0, createdAt, room.updatedAt ?? null],
    fingerprint(String(createdAt?.getTime())),
  ];
}
