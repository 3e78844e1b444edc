import { LRUCache } from 'lru-cache';
import type { Scope } from './access.events.js';
import { type Facts, standingOf } from './facts.js';

/** Nobody is believed to have a standing longer than this after it may have ended (a second is what is promised). */
const TRUST_MS = 900;
/** A room that is gone is noted nowhere: whoever misses the news learns it after this, and finds it empty until then. */
const LONGEST_MS = 300_000;
const MAX_ENTRIES = 50_000;

interface Entry {
  facts: Facts;
  /** What `clock` stood at when the facts began to be read. */
  stamp: number;
  /** Until when they are believed in any case. */
  until: number;
  /** Nobody notes that a stranger has come in. */
  isStranger: boolean;
}

/**
 * Remembers facts, so that a send asks nothing. A change of standing bumps its scope; whatever began to be read before
 * that is not believed, also where the read is still under way. Facts are believed for a moment, and longer for as long
 * as it is known that no change was missed.
 */
export class StandingCache {
  private clock = 0;
  /** Changes up to this are no longer remembered one by one: what is older than them is not believed. */
  private forgotten = 0;
  private completeUntil = -Infinity;
  private readonly entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES, ttl: LONGEST_MS });
  private readonly changes = new LRUCache<Scope, number>({
    max: MAX_ENTRIES,
    noDisposeOnSet: true,
    dispose: (stamp) => (this.forgotten = Math.max(this.forgotten, stamp)),
  });

  async facts(userId: string, roomId: string, load: () => Promise<Facts | undefined>): Promise<Facts | undefined> {
    const key = `${userId} ${roomId}`;
    const known = this.entries.get(key);
    if (known && this.holds(known, roomId)) return known.facts;
    const [stamp, until] = [this.clock, performance.now() + TRUST_MS];
    const facts = await load();
    // A room that is not there may be made at any moment: only what exists is remembered.
    if (!facts) return undefined;
    const entry = { facts, stamp, until, isStranger: standingOf(facts, userId) === 'stranger' };
    if (this.holds(entry, roomId)) this.entries.set(key, entry);
    return facts;
  }

  changed(scope: Scope): void {
    this.clock += 1;
    this.changes.set(scope, this.clock);
  }

  /** News was lost, of anything. */
  forgetAll(): void {
    this.clock += 1;
    this.forgotten = this.clock;
  }

  /** Every change that was committed before `time`, on the clock of `performance.now`, has been told of. */
  isComplete(time: number): void {
    this.completeUntil = time + TRUST_MS;
  }

  private holds({ facts, stamp, until, isStranger }: Entry, roomId: string): boolean {
    const isBelieved = performance.now() < Math.max(until, isStranger ? 0 : this.completeUntil);
    if (!isBelieved || stamp < this.forgotten) return false;
    const { serverId, parentId } = facts.room;
    const scopes: Scope[] = [`conversation:${roomId}`];
    if (parentId) scopes.push(`conversation:${parentId}`);
    if (serverId) scopes.push(`server:${serverId}`);
    return scopes.every((scope) => stamp >= (this.changes.get(scope) ?? 0));
  }
}
