import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { EventBus } from '../events/event-bus.js';
import type { DomainEvent } from '../events/event.js';
import { Arrivals } from './arrivals.js';
import { RedisLink } from './redis-link.js';

/** How many channels the events are spread over, and so over how many machines of a Redis Cluster. */
const CHANNELS = 16;

interface Parcel {
  from: string;
  /** Counts the parcels of a node, so that the others see what did not arrive. */
  number: number;
  events: DomainEvent[];
}

/** Tells the other nodes what happened on this one, and this one what happened on them: one parcel a turn and channel. */
@Injectable()
export class EventBridge implements OnModuleInit {
  readonly nodeId = uuidv7();
  /** Parcels made so far, whether or not Redis took them. */
  sent = 0;
  readonly arrivals = new Map<string, Arrivals>();

  private readonly logger = new Logger(EventBridge.name);
  private waiting = new Map<number, DomainEvent[]>();

  constructor(
    private readonly bus: EventBus,
    private readonly link: RedisLink,
  ) {}

  onModuleInit(): void {
    if (!this.link.isWanted) return;
    for (let channel = 0; channel < CHANNELS; channel += 1)
      this.link.listen(nameOf(channel), (text) => this.open(text));
    this.bus.forward((event) => this.pack(event));
  }

  /** Everything with one audience goes one way, in the order it happened. */
  private pack(event: DomainEvent): void {
    const channel = channelOf(event.audience[0] ?? '');
    if (this.waiting.size === 0) setImmediate(() => this.send());
    const events = this.waiting.get(channel);
    if (events) events.push(event);
    else this.waiting.set(channel, [event]);
  }

  private send(): void {
    const parcels = this.waiting;
    this.waiting = new Map();
    for (const [channel, events] of parcels) {
      this.sent += 1;
      const parcel: Parcel = { from: this.nodeId, number: this.sent, events };
      this.link.publish(nameOf(channel), JSON.stringify(parcel));
    }
  }

  arrivalsFrom(nodeId: string): Arrivals {
    const arrivals = this.arrivals.get(nodeId) ?? new Arrivals(0);
    this.arrivals.set(nodeId, arrivals);
    return arrivals;
  }

  private open(text: string): void {
    let parcel: Parcel;
    try {
      parcel = JSON.parse(text) as Parcel;
    } catch (error) {
      this.logger.error({ err: error as Error }, 'another node sent what cannot be read');
      return;
    }
    if (parcel.from === this.nodeId) return;
    const { from, number } = parcel;
    this.arrivalsFrom(from).add(number);
    for (const event of parcel.events) this.bus.hear({ ...event, afar: true });
  }
}

function nameOf(channel: number): string {
  return `parley:events:${channel}`;
}

function channelOf(topic: string): number {
  let hash = 0;
  for (let i = 0; i < topic.length; i += 1) hash = (Math.imul(hash, 31) + topic.charCodeAt(i)) | 0;
  return Math.abs(hash) % CHANNELS;
}
