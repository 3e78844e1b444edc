import type { DomainEvent, Topic } from '../platform/events/event.js';

/** A change of a room: every event that carries `conversationId` and `rev`. */
export interface Change {
  conversationId: string;
  rev: number;
  message?: { seq: number };
  clearedSeq?: number;
}

/** What this node has passed on of a room, and to whom. */
export interface HeardRoom {
  /** The newest change that was delivered here. */
  rev: number;
  /** The newest message that is known here: there may be a newer one that was passed over. */
  seq: number;
  /** Up to where it was cleared, as far as that was delivered here. */
  clearedSeq: number;
  /** Who hears of it, as far as that is known: for when the room is gone and nobody else can say. */
  audience: Set<Topic>;
  /** Who was told that there is this room: who hears of it may not know it, where that news was lost. */
  told: Set<Topic>;
  /** Who was told that it is gone: what was announced before that may come later still. */
  left: Set<Topic>;
  /** What waits for its turn, by rev. */
  early: Map<number, DomainEvent>;
  /** What it is its turn of, while it is found out who sees it differently. */
  looking: DomainEvent | undefined;
  timer: NodeJS.Timeout | undefined;
}

/** What is known here of a room, for who reads on from there. */
export type Known = Readonly<Pick<HeardRoom, 'rev' | 'seq' | 'audience'>>;

export function newRoom(rev: number, seq: number, audience: readonly Topic[]): HeardRoom {
  return {
    rev,
    seq,
    clearedSeq: 0,
    audience: new Set(audience),
    told: new Set(),
    left: new Set(),
    early: new Map(),
    looking: undefined,
    timer: undefined,
  };
}

/** A change of it is delivered. */
export function note(room: HeardRoom, { rev, message, clearedSeq }: Change): void {
  room.rev = rev;
  room.clearedSeq = Math.max(room.clearedSeq, clearedSeq ?? 0);
  if (message) raise(room, message.seq);
}

/** It may have been passed over: by a first change that was of an older message, or by a gap that was let go. */
export function raise(room: HeardRoom, seq: number): void {
  room.seq = Math.max(room.seq, seq);
}

/** What an event says of a room's changes, if it is one. */
export function changeIn({ data }: DomainEvent): Change | undefined {
  const { conversationId, rev } = data as Partial<Change>;
  return conversationId !== undefined && rev !== undefined ? (data as Change) : undefined;
}
