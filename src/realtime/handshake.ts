import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Actor } from '../auth/actor.js';
import { secondFactorNeeded } from '../auth/auth.guard.js';
import { TicketsService } from '../auth/tickets/tickets.service.js';
import { TokensService } from '../auth/tokens.service.js';
import { Config } from '../platform/config/config.js';
import { Problem } from '../platform/http/problem.js';

export const SUBPROTOCOL = 'parley.v1';

export interface Welcome {
  actor: Actor;
  /** When the credential runs out. */
  expiresAt: Date;
}

/** Decides at the upgrade who may open a socket: browsers send any site's pages here, with no preflight. */
@Injectable()
export class Handshake {
  constructor(
    private readonly tokens: TokensService,
    private readonly tickets: TicketsService,
    private readonly config: Config,
  ) {}

  /** Throws 403 for a foreign origin, 401 for a missing or bad credential. */
  async welcome(request: IncomingMessage): Promise<Welcome> {
    this.checkOrigin(request);
    const ticket = ticketOf(request);
    if (ticket !== null) return mayEnter(await this.tickets.redeem(ticket));
    const token = bearerOf(request);
    if (!token) throw Problem.unauthorized();
    return mayEnter(await this.tokens.verify(token));
  }

  /** For a socket that is given its token in another way. */
  async welcomeToken(request: IncomingMessage, token: string | null): Promise<Welcome> {
    this.checkOrigin(request);
    if (!token) throw Problem.unauthorized();
    return mayEnter(await this.tokens.verify(token));
  }

  /** Programs send no Origin and are let through to the credential; a page must be our own or a configured one. */
  private checkOrigin({ headers: { origin, host } }: IncomingMessage): void {
    if (origin === undefined || this.config.corsOrigins.includes(origin)) return;
    if (URL.canParse(origin) && new URL(origin).host === host) return;
    throw new Problem(403, 'origin_refused', 'This origin may not open a socket here.');
  }
}

function mayEnter(welcome: Welcome): Welcome {
  if (welcome.actor.lacksSecondFactor) throw secondFactorNeeded();
  return welcome;
}

function ticketOf({ url }: IncomingMessage): string | null {
  return new URL(url ?? '/', 'http://parley').searchParams.get('ticket');
}

function bearerOf({ headers }: IncomingMessage): string | undefined {
  const [, fromHeader] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (fromHeader) return fromHeader;
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  return offered.find((name) => name.startsWith('bearer.'))?.slice('bearer.'.length);
}
