import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { EventBus } from '../../platform/events/event-bus.js';
import { RedisLink } from '../../platform/nodes/redis-link.js';
import { type Chosen, Neighbours, type PresenceChange } from './neighbours.js';
import {
  NodePresence,
  NodePresenceWanted,
  PresenceChanged,
  PresenceChosen,
  WholeNodePresence,
} from './presence.events.js';

/** Somebody whose last device is gone is here for so long still: most come right back. */
const GRACE_MS = 10_000;
const BEAT_MS = 3_000;

export const STATUSES = ['online', 'away', 'dnd', 'offline'] as const;
/** How somebody looks to others. */
export type Status = (typeof STATUSES)[number];

interface Person {
  chosen: Chosen;
  devices: Set<string>;
}

/**
 * Who is here and how they want to be seen, on all nodes together. Each node tells the others who comes and goes on
 * it, and every few seconds that it lives; what was lost on the way shows by its version, and is asked for.
 */
@Injectable()
export class Roster implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly nodeId = uuidv7();
  private readonly here = new Map<string, Person>();
  /** Those of them whose last device is gone. */
  private readonly leaving = new Map<string, NodeJS.Timeout>();
  private readonly elsewhere = new Neighbours();
  private version = 0;
  private untold: PresenceChange[] = [];
  private beat: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: EventBus,
    private readonly link: RedisLink,
  ) {}

  onModuleInit(): void {
    this.bus.on(PresenceChosen, ({ userId, chosen }) => this.choose(userId, chosen));
    this.bus.on(NodePresence, ({ nodeId, version, changes }) => {
      if (nodeId === this.nodeId) return;
      const people = changes.map(({ userId }) => userId);
      this.comparing(people, () => {
        const complete = this.elsewhere.follow(nodeId, version, changes, performance.now());
        if (!complete) this.bus.publish(NodePresenceWanted([], { nodeId }));
        return people;
      });
      this.adopt(changes);
    });
    this.bus.on(WholeNodePresence, ({ nodeId, version, people }) => {
      if (nodeId === this.nodeId) return;
      const known = [...this.elsewhere.people(), ...people.map(([userId]) => userId)];
      this.comparing(known, () => this.elsewhere.replace(nodeId, version, people, performance.now()));
      this.adopt(people.map(([userId, chosen]) => ({ userId, chosen })));
    });
    this.bus.on(NodePresenceWanted, ({ nodeId }) => {
      if (nodeId === this.nodeId) this.tellWhole();
    });
  }

  onApplicationBootstrap(): void {
    if (!this.link.isWanted) return;
    this.beat = setInterval(() => {
      this.comparing(this.elsewhere.people(), () => this.elsewhere.expire(performance.now()));
      this.tell();
    }, BEAT_MS).unref();
  }

  /** Says nothing to the others: until they notice, the people of this node have come back on another. */
  onApplicationShutdown(): void {
    clearInterval(this.beat);
    for (const timer of this.leaving.values()) clearTimeout(timer);
  }

  /** How somebody looks to others. */
  statusOf(userId: string): Status {
    const choice = this.chosenBy(userId)?.choice;
    return choice === undefined || choice === 'invisible' ? 'offline' : choice;
  }

  /** What somebody who is here has chosen. */
  choiceOf(userId: string): Chosen['choice'] {
    return this.chosenBy(userId)?.choice ?? 'online';
  }

  /** Everybody who looks to others as if they were here. */
  get peopleHere(): string[] {
    const people = new Set([...this.here.keys(), ...this.elsewhere.people()]);
    return [...people].filter((userId) => this.statusOf(userId) !== 'offline');
  }

  /** Those who have a device on this node, or had one a moment ago. */
  get peopleOfNode(): string[] {
    return [...this.here.keys()];
  }

  /** Those who have a device on another node, or had one on this a moment ago: they may be here without a socket of this node. */
  get peopleWithoutSocket(): Set<string> {
    return new Set([...this.elsewhere.people(), ...this.leaving.keys()]);
  }

  came(userId: string, deviceId: string, chosen: Chosen): void {
    const person = this.here.get(userId);
    if (!person) {
      // It was read a moment ago, and chosen anew on another device since.
      const known = this.chosenBy(userId);
      const newest = known && known.at > chosen.at ? known : chosen;
      this.change(userId, () => this.here.set(userId, { chosen: newest, devices: new Set([deviceId]) }));
      return;
    }
    this.stopLeaving(userId);
    person.devices.add(deviceId);
    this.learn(userId, chosen);
  }

  left(userId: string, deviceId: string): void {
    const person = this.here.get(userId);
    if (!person?.devices.delete(deviceId) || person.devices.size > 0) return;
    const leave = () => {
      this.stopLeaving(userId);
      this.change(userId, () => this.here.delete(userId));
    };
    this.leaving.set(userId, setTimeout(leave, GRACE_MS).unref());
  }

  /** What somebody who is on this node has chosen, where that is news here: then it was not told of, and is now. */
  learn(userId: string, chosen: Chosen): void {
    if (this.isNews(userId, chosen)) this.bus.hear(PresenceChosen([], { userId, chosen }));
  }

  /** Whether something newer is known: what was chosen on another node may come late. */
  isOutdated(userId: string, { at }: Chosen): boolean {
    return (this.chosenBy(userId)?.at ?? at) > at;
  }

  private stopLeaving(userId: string): void {
    clearTimeout(this.leaving.get(userId));
    this.leaving.delete(userId);
  }

  private choose(userId: string, chosen: Chosen): void {
    const person = this.here.get(userId);
    if (person && this.isNews(userId, chosen)) this.change(userId, () => (person.chosen = chosen));
  }

  /** What was chosen on another node holds on this one too, and still does when nobody is on the other any more. */
  private adopt(changes: PresenceChange[]): void {
    for (const { userId, chosen } of changes) if (chosen) this.learn(userId, chosen);
  }

  private isNews(userId: string, { at }: Chosen): boolean {
    return (this.here.get(userId)?.chosen.at ?? Infinity) < at;
  }

  /** Of all that the nodes know, the newest. */
  private chosenBy(userId: string): Chosen | undefined {
    let newest = this.here.get(userId)?.chosen;
    for (const chosen of this.elsewhere.of(userId)) if (!newest || chosen.at > newest.at) newest = chosen;
    return newest;
  }

  private change(userId: string, act: () => void): void {
    this.comparing([userId], () => {
      act();
      return [userId];
    });
    this.version += 1;
    if (this.untold.length === 0) setImmediate(() => this.untold.length > 0 && this.tell());
    this.untold.push({ userId, chosen: this.here.get(userId)?.chosen ?? null });
  }

  private tell(): void {
    const changes = this.untold;
    this.untold = [];
    this.bus.publish(NodePresence([], { nodeId: this.nodeId, version: this.version, changes }));
  }

  private tellWhole(): void {
    if (this.untold.length > 0) this.tell();
    const people = [...this.here].map(([userId, { chosen }]): [string, Chosen] => [userId, chosen]);
    this.bus.publish(WholeNodePresence([], { nodeId: this.nodeId, version: this.version, people }));
  }

  /** `act` gives whom it may have concerned; of these, who looks different after it is announced. */
  private comparing(people: Iterable<string>, act: () => string[]): void {
    const before = new Map([...people].map((userId) => [userId, this.statusOf(userId)]));
    const userIds = act().filter((userId) => this.statusOf(userId) !== before.get(userId));
    if (userIds.length > 0) this.bus.hear(PresenceChanged([], { userIds }));
  }
}
