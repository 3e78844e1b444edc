import { Injectable } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { v7 as uuidv7 } from 'uuid';
import { Database } from '../../platform/database/database.js';
import type { Tx } from '../../platform/database/unit-of-work.js';
import { unlessBroken } from '../../platform/http/database-problem.js';
import { FIRST_ID, LAST_ID, type Page, pageOf, type PageQuery, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import type { Origin } from '../origin.js';

export type AccountEventKind =
  | 'registered'
  | 'signed_in'
  | 'sign_in_failed'
  | 'signed_out'
  | 'refresh_reused'
  | 'claimed'
  | 'password_changed'
  | 'password_reset_asked'
  | 'password_reset'
  | 'email_changed'
  | 'username_changed'
  | 'second_factor_on'
  | 'second_factor_off'
  | 'recovery_code_used'
  | 'credential_added'
  | 'credential_removed'
  | 'exported'
  | 'rights_changed'
  | 'disabled'
  | 'enabled';

export class AccountEventView {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ example: 'signed_in' }) kind: string;
  @ApiProperty({ type: String, nullable: true, description: 'The administrator who did it, if not the person.' })
  actorId: string | null;
  @ApiProperty({ type: String, nullable: true }) device: string | null;
  @ApiProperty({ type: String, nullable: true }) address: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
}

interface Happening {
  userId: string;
  kind: AccountEventKind;
  origin?: Origin | undefined;
  actorId?: string | undefined;
}

const INSERT = `
  INSERT INTO account_events (id, user_id, actor_id, kind, device, address) VALUES ($1, $2, $3, $4, $5, $6)`;

/** The trail of what happened to accounts, for their owners and for administrators. */
@Injectable()
export class AccountAudit {
  constructor(private readonly database: Database) {}

  /**
   * Noted or undone together with what it tells of. It holds the account, so it comes before rows that go with an account
   * are changed, unless the account is locked already: who deletes one locks it first and those rows after that. Throws
   * 401 where the account is gone.
   */
  async note(tx: Tx, happening: Happening): Promise<void> {
    await unlessBroken(tx.query(INSERT, valuesOf(happening)), { account_events_user_fk: () => Problem.unauthorized() });
  }

  /** For what changed nothing, such as a failed attempt. */
  async noteAlone(happening: Happening): Promise<void> {
    await this.database.query(INSERT, valuesOf(happening));
  }

  /** Newest first. */
  async list(userId: string, { limit, cursor }: PageQuery): Promise<Page<AccountEventView>> {
    const [before] = readCursor(cursor, ['id']) ?? [];
    const rows = await this.database.query<Omit<AccountEventView, 'createdAt'> & { createdAt: Date }>(
      `SELECT id, kind, actor_id AS "actorId", device, address, created_at AS "createdAt" FROM account_events
       WHERE (user_id, id) >= ($1, $2) AND (user_id, id) < ($1, $3) ORDER BY user_id DESC, id DESC LIMIT $4`,
      [userId, FIRST_ID, before ?? LAST_ID, limit + 1],
    );
    return pageOf(
      rows,
      limit,
      ({ id }) => [id],
      (row) => ({ ...row, createdAt: row.createdAt.toISOString() }),
    );
  }
}

function valuesOf({ userId, kind, origin, actorId }: Happening): unknown[] {
  return [uuidv7(), userId, actorId ?? null, kind, origin?.device ?? null, origin?.address ?? null];
}
