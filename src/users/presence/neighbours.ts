import type { Choice } from './presence-choice.entity.js';

/** A node that was not heard of for so long is gone, and so are the devices of its people. */
const GONE_AFTER_MS = 12_000;
const ASK_AGAIN_MS = 1_000;

/** `at` in milliseconds of the database's clock: of two nodes that differ, the newer choice holds. */
export interface Chosen {
  choice: Choice;
  at: number;
}

/** `chosen` is null for who has no device there any more. */
export interface PresenceChange {
  userId: string;
  chosen: Chosen | null;
}

interface Neighbour {
  version: number;
  heardAt: number;
  askedAt: number;
  people: Map<string, Chosen>;
}

/** Who has a device on which other node, as those nodes tell. Times are given in milliseconds of any steady clock. */
export class Neighbours {
  private readonly nodes = new Map<string, Neighbour>();

  /** What each node that somebody is on knows of their choice. */
  *of(userId: string): Generator<Chosen> {
    for (const { people } of this.nodes.values()) {
      const chosen = people.get(userId);
      if (chosen) yield chosen;
    }
  }

  /** Everybody, some of them more than once. */
  *people(): Generator<string> {
    for (const { people } of this.nodes.values()) yield* people.keys();
  }

  /** False where the node must be asked for the whole, because something before this is missing. */
  follow(nodeId: string, version: number, changes: PresenceChange[], now: number): boolean {
    const node = this.nodes.get(nodeId) ?? this.add(nodeId, now);
    node.heardAt = now;
    if (node.version + changes.length === version) {
      node.version = version;
      for (const { userId, chosen } of changes) {
        if (chosen) node.people.set(userId, chosen);
        else node.people.delete(userId);
      }
      return true;
    }
    if (now - node.askedAt < ASK_AGAIN_MS) return true;
    node.askedAt = now;
    return false;
  }

  /** Gives who may have changed. */
  replace(nodeId: string, version: number, people: [string, Chosen][], now: number): string[] {
    const before = this.nodes.get(nodeId)?.people ?? new Map<string, Chosen>();
    const node = { version, heardAt: now, askedAt: -Infinity, people: new Map(people) };
    this.nodes.set(nodeId, node);
    return [...new Set([...before.keys(), ...node.people.keys()])];
  }

  /** Forgets the nodes that are gone; gives who was there. */
  expire(now: number): string[] {
    const gone = [...this.nodes].filter(([, { heardAt }]) => now - heardAt > GONE_AFTER_MS);
    for (const [nodeId] of gone) this.nodes.delete(nodeId);
    return [...new Set(gone.flatMap(([, { people }]) => [...people.keys()]))];
  }

  private add(nodeId: string, now: number): Neighbour {
    const node = { version: -1, heardAt: now, askedAt: -Infinity, people: new Map<string, Chosen>() };
    this.nodes.set(nodeId, node);
    return node;
  }
}
