import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { Database } from '../../platform/database/database.js';
import { Problem } from '../../platform/http/problem.js';
import type { Actor } from '../actor.js';
import { Actors } from '../actors.js';
import { sha256 } from '../logins/refresh-token.js';

export const TICKET_SECONDS = 30;

/** Tickets open a socket without a token in its URL. They lie in the database, so that any node takes them. */
@Injectable()
export class TicketsService {
  constructor(
    private readonly database: Database,
    private readonly actors: Actors,
  ) {}

  async issue({ loginId }: Actor, tokenExpiresAt: Date): Promise<string> {
    const ticket = randomBytes(32).toString('base64url');
    await this.database.query(
      `INSERT INTO tickets (hash, login_id, token_expires_at, expires_at)
       VALUES ($1, $2, $3, now() + make_interval(secs => ${TICKET_SECONDS}))`,
      [sha256(ticket), loginId, tokenExpiresAt],
    );
    return ticket;
  }

  /** Takes it once, however many come with it. Throws 401 for a used, expired or made-up one. */
  async redeem(ticket: string): Promise<{ actor: Actor; expiresAt: Date }> {
    const row = await this.database.one<{ loginId: string; expiresAt: Date }>(
      `DELETE FROM tickets WHERE hash = $1 AND expires_at > now()
       RETURNING login_id AS "loginId", token_expires_at AS "expiresAt"`,
      [sha256(ticket)],
    );
    const actor = row && (await this.actors.find(row.loginId));
    if (!actor) throw Problem.unauthorized('The ticket is not good, or no longer.');
    return { actor, expiresAt: row.expiresAt };
  }
}
