import { Injectable } from '@nestjs/common';
import type { Room } from '../access/facts.js';
import { isOutcomeUnknown, OutcomeUnknown } from '../platform/database/outcome.events.js';
import { EventBus } from '../platform/events/event-bus.js';
import type { Topic } from '../platform/events/event.js';

/** Says of which rooms nobody knows whether a send that failed was stored: all that failed together at once. */
@Injectable()
export class Doubts {
  private readonly rooms = new Set<string>();
  private readonly people = new Set<Topic>();

  constructor(private readonly bus: EventBus) {}

  about({ id, kind }: Room, authorId: string | null, error: unknown): void {
    if (!isOutcomeUnknown(error)) return;
    if (this.rooms.size === 0) setImmediate(() => this.tell());
    this.rooms.add(id);
    // Who writes in a thread takes part in it from then on.
    if (kind === 'thread' && authorId !== null) this.people.add(`user:${authorId}`);
  }

  private tell(): void {
    const [rooms, people] = [[...this.rooms], [...this.people]];
    this.rooms.clear();
    this.people.clear();
    this.bus.publish(OutcomeUnknown([], { rooms, people }));
  }
}
