import { Injectable, Logger } from '@nestjs/common';
import type { DomainEvent, EventKind } from './event.js';

type Listener = (event: DomainEvent) => void;

/**
 * Carries events from who did something to who must know. Listeners run in the order of publishing and at once, so
 * that what one conversation announces is heard in the order it was committed. Other nodes are told by `forward`.
 */
@Injectable()
export class EventBus {
  private readonly logger = new Logger(EventBus.name);
  private readonly byType = new Map<string, Listener[]>();
  private readonly all: Listener[] = [];
  private readonly forwards: Listener[] = [];

  on<Data>(kind: EventKind<Data>, listener: (data: Data, event: DomainEvent<Data>) => void): void {
    const listeners = this.byType.get(kind.type) ?? [];
    listeners.push((event) => listener(event.data as Data, event as DomainEvent<Data>));
    this.byType.set(kind.type, listeners);
  }

  onAny(listener: Listener): void {
    this.all.push(listener);
  }

  /** For what happens on this node and is to be told to the others. */
  forward(listener: Listener): void {
    this.forwards.push(listener);
  }

  /** Something happened on this node. */
  publish(event: DomainEvent): void {
    this.hear(event);
    if (event.here) return;
    for (const forward of this.forwards) this.tell(forward, event);
  }

  /** Something happened elsewhere, or concerns this node alone. */
  hear(event: DomainEvent): void {
    for (const listener of this.byType.get(event.type) ?? []) this.tell(listener, event);
    for (const listener of this.all) this.tell(listener, event);
  }

  /** One listener's failure is its own: what is committed must still reach the others. */
  private tell(listener: Listener, event: DomainEvent): void {
    try {
      listener(event);
    } catch (error) {
      this.logger.error({ err: error as Error, event: event.type }, 'an event listener failed');
    }
  }
}
