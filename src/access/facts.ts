import type { ConversationKind } from '../conversations/conversation.entity.js';
import type { DomainEvent, EventKind, Topic } from '../platform/events/event.js';
import type { Role } from '../servers/memberships/membership.entity.js';

/** What is true of a room, whoever asks. */
export interface Room {
  readonly id: string;
  readonly kind: ConversationKind;
  /** Of a thread: the room it hangs in, whose people are its own. All that follows is then the parent's. */
  readonly parentId?: string | null;
  readonly parentKind?: ConversationKind | null;
  /** Of a channel: its server. */
  readonly serverId: string | null;
  /** Of a session: whose it is, who helps, who answers. */
  readonly ownerId: string | null;
  readonly advocateId: string | null;
  readonly agentId: string | null;
  /** Of a direct conversation: who is in it. */
  readonly people?: readonly string[] | null;
}

/** What somebody is to a room. `stranger` also stands for the banned and the past: nothing is left of a standing. */
export type Standing = 'stranger' | 'owner' | 'advocate' | 'participant' | Role;

export interface Facts {
  readonly room: Room;
  /** The caller's role in the room's server, if any. */
  readonly role: Role | null;
}

/** Whose rules hold in the room: those of its kind, and in a thread those of its parent's. */
export function rulingKind({ kind, parentKind }: Pick<Room, 'kind' | 'parentKind'>): ConversationKind {
  return parentKind ?? kind;
}

/** Takes the facts and a person's id, gives what they are to the room. A kind that is not known gets nothing. */
export function standingOf({ room, role }: Facts, userId: string): Standing {
  switch (rulingKind(room)) {
    case 'session':
      if (room.ownerId === userId) return 'owner';
      return room.advocateId === userId ? 'advocate' : 'stranger';
    case 'direct':
      return room.people?.includes(userId) ? 'participant' : 'stranger';
    case 'channel':
      return role ?? 'stranger';
    default:
      return 'stranger';
  }
}

/** Who hears what happens in the room. */
export function audienceOf(room: Room): Topic[] {
  const kind = rulingKind(room);
  const { serverId } = room;
  if (kind === 'channel' && serverId) return [`server:${serverId}`];
  return peopleOf(room).map((id): Topic => `user:${id}`);
}

/** Something that happened in the room, for those who hear of it. */
export function eventIn<Data>(room: Room, kind: EventKind<Data>, data: Data): DomainEvent<Data> {
  return inside(room, kind(audienceOf(room), data));
}

/** Something that happened in the room, for whom it is meant. */
export function inside<Data>({ parentId }: Pick<Room, 'parentId'>, event: DomainEvent<Data>): DomainEvent<Data> {
  return parentId ? { ...event, within: parentId } : event;
}

/** The people of a room who are known by name: those of a session or a direct conversation. */
export function peopleOf(room: Room): string[] {
  switch (rulingKind(room)) {
    case 'session':
      return [room.ownerId, room.advocateId].filter((id) => id !== null);
    case 'direct':
      return [...(room.people ?? [])];
    default:
      return [];
  }
}
