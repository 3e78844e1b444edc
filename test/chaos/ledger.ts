import type { View } from './mirror.js';

/** How an act ended: done, refused for good, or nobody knows. `unsure`: an attempt without an answer may still be done late. */
export interface Fate {
  end: 'done' | 'refused' | 'unknown';
  code?: string;
  unsure: boolean;
}

export interface Said {
  author: string;
  room: string;
  nonce: string;
  content: string;
  fate: Fate;
  /** As it was acknowledged. */
  message?: Pick<View, 'id' | 'seq'>;
  acknowledged?: number;
  edits: { content: string; fate: Fate }[];
  deletion?: Fate;
}

export interface Reaction {
  room: string;
  messageId: string;
  userId: string;
  emoji: string;
  /** The last of them is what was wanted last. */
  acts: { on: boolean; fate: Fate }[];
}

export interface Step {
  kind: 'add' | 'remove';
  begun: number;
  ended: number;
  fate: Fate;
}

/** What everybody did and was told of it. */
export class Ledger {
  readonly said: Said[] = [];
  readonly reactions = new Map<string, Reaction>();
  /** By server, or session, and person, in order: an advocate is let in with `add`. */
  readonly memberships = new Map<string, Step[]>();
  /** Of sessions that were cleared: when that was begun for the last time. */
  readonly cleared = new Map<string, number>();
  readonly complaints: string[] = [];

  complain(text: string): void {
    this.complaints.push(text);
  }

  /** Messages that are there for all we know. */
  standing(): (Said & { message: Pick<View, 'id' | 'seq'> })[] {
    return this.said.slice(-300).filter((said): said is Said & { message: Pick<View, 'id' | 'seq'> } => {
      return said.message !== undefined && !said.deletion;
    });
  }

  reaction(room: string, messageId: string, userId: string, emoji: string): Reaction {
    const key = `${messageId} ${userId} ${emoji}`;
    const known = this.reactions.get(key) ?? { room, messageId, userId, emoji, acts: [] };
    this.reactions.set(key, known);
    return known;
  }

  steps(placeId: string, userId: string): Step[] {
    const key = `${placeId} ${userId}`;
    const known = this.memberships.get(key) ?? [];
    this.memberships.set(key, known);
    return known;
  }
}
