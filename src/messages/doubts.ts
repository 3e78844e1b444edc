import { Injectable } from '@nestjs/common';
import { isOutcomeUnknown, OutcomeUnknown } from '../platform/database/outcome.events.js';
import { EventBus } from '../platform/events/event-bus.js';

/** Says of which rooms nobody knows whether a send that failed was stored: all that failed together at once. */
@Injectable()
export class Doubts {
  private readonly rooms = new Set<string>();

  constructor(private readonly bus: EventBus) {}

  about(conversationId: string, error: unknown): void {
    if (!isOutcomeUnknown(error)) return;
    if (this.rooms.size === 0) setImmediate(() => this.tell());
    this.rooms.add(conversationId);
  }

  private tell(): void {
    const rooms = [...this.rooms];
    this.rooms.clear();
    this.bus.publish(OutcomeUnknown([], { rooms, people: [] }));
  }
}
