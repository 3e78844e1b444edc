import { LRUCache } from 'lru-cache';
import type { Scope } from './access.events.js';
import type { Facts } from './facts.js';

/** A lost hint from another node may keep a stale grant alive this long and no longer (promise 5 says a second). */
const TRUST_MS = 900;

interface Entry {
  facts: Facts | undefined;
  /** What `clock` stood at when the facts began to be read. */
  stamp: number;
}

/**
 * Remembers facts for a moment, so that a burst of sends asks once. A change of standing bumps its scope; whatever
 * began to be read before that is not believed, also where the read is still under way.
 */
export class StandingCache {
  private clock = 0;
  private readonly entries = new LRUCache<string, Entry>({ max: 50_000, ttl: TRUST_MS });
  private readonly changes = new LRUCache<Scope, number>({ max: 50_000, ttl: 60_000 });

  async facts(userId: string, roomId: string, load: () => Promise<Facts | undefined>): Promise<Facts | undefined> {
    const key = `${userId} ${roomId}`;
    const known = this.entries.get(key);
    if (known && this.holds(known, roomId)) return known.facts;
    const stamp = this.clock;
    const entry = { facts: await load(), stamp };
    // A room that is not there may be made at any moment: only what exists is remembered.
    if (entry.facts && this.holds(entry, roomId)) this.entries.set(key, entry);
    return entry.facts;
  }

  changed(scope: Scope): void {
    this.clock += 1;
    this.changes.set(scope, this.clock);
  }

  private holds({ facts, stamp }: Entry, roomId: string): boolean {
    const { serverId, parentId } = facts?.room ?? {};
    const scopes: Scope[] = [`conversation:${roomId}`];
    if (parentId) scopes.push(`conversation:${parentId}`);
    if (serverId) scopes.push(`server:${serverId}`);
    return scopes.every((scope) => stamp >= (this.changes.get(scope) ?? 0));
  }
}
