import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config/config.js';
import { Problem } from '../platform/http/problem.js';
import { Hub } from './hub.js';

/** How many sockets this node holds: those that are open are worth more than one more. */
@Injectable()
export class Admission {
  constructor(
    private readonly hub: Hub,
    private readonly config: Config,
  ) {}

  /** To be asked in the very turn in which the socket is opened. Throws 503 `overloaded`, 429 `too_many_connections`. */
  check(userId: string): void {
    const { maxConnections, maxConnectionsOfUser } = this.config;
    if (this.hub.connections.size >= maxConnections) {
      throw new Problem(503, 'overloaded', 'This server holds as many connections as it can. Try again shortly.');
    }
    if (this.hub.of(`user:${userId}`).size >= maxConnectionsOfUser) {
      throw new Problem(
        429,
        'too_many_connections',
        `An account may have ${maxConnectionsOfUser} connections open. Close one first.`,
      );
    }
  }
}
