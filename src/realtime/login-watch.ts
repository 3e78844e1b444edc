import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Actors } from '../auth/actors.js';
import { AccountChanged, LoginEnded } from '../auth/auth.events.js';
import { EventBus } from '../platform/events/event-bus.js';
import { CLOSE } from './close-codes.js';
import type { Connection } from './connection.js';
import { Hub } from './hub.js';

/** Closes the sockets of a login that has ended, and keeps those of a changed account up to date. */
@Injectable()
export class LoginWatch implements OnModuleInit {
  private readonly logger = new Logger(LoginWatch.name);
  /** Of each socket the last look: what an earlier one finds later may be older, or of a login that was left behind. */
  private readonly looks = new WeakMap<Connection, symbol>();

  constructor(
    private readonly bus: EventBus,
    private readonly hub: Hub,
    private readonly actors: Actors,
  ) {}

  onModuleInit(): void {
    this.bus.on(LoginEnded, ({ userId, loginIds, accessEnded }) => {
      for (const connection of [...this.hub.of(`user:${userId}`)]) {
        if (loginIds.includes(connection.actor.loginId)) end(connection, accessEnded);
      }
    });
    this.bus.on(AccountChanged, ({ userId }) => {
      for (const connection of this.hub.of(`user:${userId}`)) void this.refresh(connection);
    });
  }

  /** Reads again who they are, and whether their login still lives. */
  async refresh(connection: Connection): Promise<void> {
    const look = Symbol('look');
    this.looks.set(connection, look);
    try {
      const actor = await this.actors.find(connection.actor.loginId);
      if (this.looks.get(connection) !== look) return;
      if (!actor) return end(connection, await this.actors.isShutOut(connection.actor.userId));
      if (actor.lacksSecondFactor) return end(connection, false);
      connection.become(actor);
      if (connection.isClosed) return;
      if (actor.isAdvocate) this.hub.subscribe(connection, 'advocates');
      else if (connection.topics.has('advocates')) this.hub.unsubscribe(connection, 'advocates');
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'the account behind a socket could not be read again');
      // They may have less than before: they come back when it can be found out.
      connection.close(CLOSE.internal, 'the database is away');
    }
  }
}

function end(connection: Connection, accessEnded: boolean): void {
  if (accessEnded) connection.close(CLOSE.accessEnded, 'the account is switched off or gone');
  else connection.close(CLOSE.signInAgain, 'this login has ended');
}
