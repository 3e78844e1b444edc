import { idIn, objectOf, textOf } from '../json.js';
import type { RawRow, Row } from '../row.js';
import type { BrokenRow, OldChannel, OldDirect, OldMembership, OldServer, OldUser } from '../source.js';
import { unescaped } from './slack-text.js';
import type { RoomList, SlackRoom, SlackWorkspace } from './slack-workspace.js';

/** The shortest name that can be mentioned here. */
const SHORTEST_NAME = 3;
const LONGEST_NAME = 100;
/** What decides of what somebody is a member, and as what. */
const STANDING = [
  ...['team_id', 'deleted', 'is_bot', 'is_admin', 'is_owner', 'is_primary_owner'],
  ...['is_restricted', 'is_ultra_restricted', 'is_stranger'],
];
const ARCHIVED = 'Archived';

export function readUser(row: Row): OldUser {
  const profile = row.has('profile') ? row.inner('profile') : undefined;
  const display = profile?.text('display_name') || null;
  const real = profile?.text('real_name') || row.text('real_name') || null;
  if (row.peek('real_name') === real) row.take('real_name');
  const email = profile?.text('email') || null;
  profile?.leaveRest();
  for (const name of STANDING) row.take(name);
  return userOf(row.needId('id'), row.text('name'), email, display ?? real);
}

export function readStranger(row: Row): OldUser {
  return userOf(row.needId('id'), row.text('name'), null, row.text('real_name'));
}

function userOf(id: string, name: string | null, email: string | null, displayName: string | null): OldUser {
  const username = name !== null && name.length < SHORTEST_NAME ? `${name}-slack` : name;
  return { kind: 'user', id, username, email, displayName: displayName ?? name, password: null, createdAt: null };
}

/** The workspace, and every conversation that has to be a server of its own so that nobody else sees it. */
export function* servers(workspace: SlackWorkspace): Generator<RawRow> {
  const { general } = workspace;
  const creator = adminsOf(workspace)[0] ?? null;
  yield { id: workspace.id, name: workspace.name, creator, created: general?.raw.created ?? null, is_private: false };
  for (const room of closedRooms(workspace)) {
    const name = room.isDirect ? namesOf(room, workspace) : textOf(room.raw.name);
    const [creator = null] = headsOf(room, workspace);
    yield { id: room.id, name: name ?? room.id, creator, created: room.raw.created ?? null, is_private: true };
  }
}

export function readServer(row: Row): OldServer {
  return {
    kind: 'server',
    id: row.needId('id'),
    name: row.needName('name'),
    iconUrl: null,
    createdBy: row.id('creator'),
    createdAt: row.time('created'),
    isPrivate: row.take('is_private') === true,
  };
}

/** Guests, and who was switched off, are in what was closed to others at most. */
export function* memberships(workspace: SlackWorkspace): Generator<RawRow> {
  const admins = new Set(adminsOf(workspace));
  for (const [user, { isMember, isAdmin }] of workspace.people) {
    if (isMember)
      yield { server: workspace.id, user, role: admins.has(user) ? 'ADMIN' : isAdmin ? 'MODERATOR' : 'MEMBER' };
  }
  for (const room of closedRooms(workspace)) {
    const [head] = headsOf(room, workspace);
    for (const user of room.members) {
      if (!isGone(user, workspace)) yield { server: room.id, user, role: user === head ? 'ADMIN' : 'MEMBER' };
    }
  }
}

export function readMembership(row: Row): OldMembership {
  const server = row.needId('server');
  const user = row.needId('user');
  const role = row.take('role') as OldMembership['role'];
  return { kind: 'membership', id: `${server}/${user}`, server, user, role, joinedAt: null };
}

/** Who gets no place in a server that was their workspace, or their private channel, by why. */
export function withoutPlace(workspace: SlackWorkspace): Record<string, number> {
  const guests = [...workspace.people.values()].filter((person) => person.isGuest).length;
  const gone = closedRooms(workspace).flatMap(({ members }) => members.filter((user) => isGone(user, workspace)));
  return {
    ...(guests > 0 && { 'guests, as members of the workspace': guests }),
    ...(gone.length > 0 && { 'people who are switched off, as members of private channels': gone.length }),
  };
}

export function* rowsOf(workspace: SlackWorkspace, list: RoomList): Generator<RawRow | BrokenRow> {
  yield* workspace.broken[list];
  for (const room of workspace.rooms) if (room.list === list) yield room.raw;
}

/** A channel of the workspace, or the one channel of a server of its own. */
export function channelReader(workspace: SlackWorkspace): (row: Row) => OldChannel | OldDirect {
  const rooms = new Map(workspace.rooms.map((room, at) => [room.id, { room, at }]));
  return (row) => {
    const id = row.needId('id');
    const { room, at } = rooms.get(id) as { room: SlackRoom; at: number };
    const createdAt = row.time('created');
    if (room.as === 'direct') {
      for (const name of ['members', 'name']) row.take(name);
      return { kind: 'direct', id, members: room.members, createdAt };
    }
    if (room.as === 'server') row.take('members');
    row.take('creator');
    row.take('pins');
    row.take('is_general');
    const isArchived = row.take('is_archived') === true;
    const name = room.isDirect ? 'messages' : row.needName('name');
    return {
      kind: 'channel',
      id,
      server: room.as === 'server' ? id : workspace.id,
      name,
      type: 'TEXT',
      position: room === workspace.general ? 0 : at + 1,
      topic: topicOf(row),
      createdAt,
      category: isArchived && room.as === 'channel' ? ARCHIVED : null,
    };
  };
}

/** The topic, or else the purpose, which is what says most of the time what a channel is for. */
function topicOf(row: Row): string | null {
  const topic = textOf(objectOf(row.take('topic')).value);
  const told = topic ?? textOf(objectOf(row.peek('purpose')).value);
  if (topic === null) row.take('purpose');
  return told === null ? null : row.stored('topic', unescaped(told));
}

function closedRooms({ rooms }: SlackWorkspace): SlackRoom[] {
  return rooms.filter((room) => room.as === 'server');
}

/** Owners; where nobody is known as that, who made the general channel. */
function adminsOf({ people, general }: SlackWorkspace): string[] {
  const owners = [...people].filter(([, { isMember, isOwner }]) => isMember && isOwner).map(([id]) => id);
  const creator = idIn(general?.raw.creator);
  if (owners.length > 0 || creator === null || !people.get(creator)?.isMember) return owners;
  return [creator];
}

/** Who made it, or else its first member. */
function headsOf({ members, raw }: SlackRoom, workspace: SlackWorkspace): string[] {
  const able = members.filter((user) => !isGone(user, workspace) && workspace.people.get(user)?.isGuest !== true);
  const creator = idIn(raw.creator);
  return creator !== null && able.includes(creator) ? [creator] : able.slice(0, 1);
}

function isGone(user: string, { people }: SlackWorkspace): boolean {
  return people.get(user)?.isGone === true;
}

function namesOf({ members }: SlackRoom, { people }: SlackWorkspace): string {
  const names = members.map((member) => people.get(member)?.name ?? member).join(', ');
  return names.length > LONGEST_NAME ? `${names.slice(0, LONGEST_NAME).replace(/,[^,]*$/, '')} ...` : names;
}
