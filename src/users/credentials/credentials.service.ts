import { Injectable } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { v7 as uuidv7 } from 'uuid';
import { Database } from '../../platform/database/database.js';
import type { Tx } from '../../platform/database/unit-of-work.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import { type Sealed, SecretBox } from '../../platform/secrets/secret-box.js';

/** All of a credential that is ever shown. */
export class CredentialView {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ example: 'openai' }) provider: string;
  @ApiProperty({ example: 'work' }) label: string;
  @ApiProperty({ example: 'x7Qz' }) last4: string;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
}

interface CredentialRow {
  id: string;
  provider: string;
  label: string;
  last4: string;
  createdAt: Date;
}

const COLUMNS = `id, provider, label, last4, created_at AS "createdAt"`;
const MOST = 50;

/** People's keys at providers, encrypted at rest. */
@Injectable()
export class CredentialsService {
  constructor(
    private readonly database: Database,
    private readonly box: SecretBox,
  ) {}

  async list(userId: string, { limit, cursor }: PageQuery): Promise<Page<CredentialView>> {
    const [after] = readCursor(cursor, ['id']) ?? [];
    const rows = await this.database.query<CredentialRow>(
      `SELECT ${COLUMNS} FROM credentials WHERE user_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3`,
      [userId, after ?? null, limit + 1],
    );
    return pageOf(rows, limit, ({ id }) => [id], present);
  }

  /** Locks the owner, so it comes first in a transaction. Throws 409 `too_many` beyond fifty, 401 for an account that is gone. */
  async add(
    tx: Tx,
    userId: string,
    { provider, label, key }: { provider: string; label: string; key: string },
  ): Promise<CredentialView> {
    const id = uuidv7();
    const { keyId, sealed } = this.box.seal(key, contextOf(id));
    const owner = await tx.one(`SELECT 1 FROM users WHERE id = $1 FOR UPDATE`, [userId]);
    if (!owner) throw Problem.unauthorized();
    const row = await tx.one<CredentialRow>(
      `INSERT INTO credentials (id, user_id, provider, label, last4, key_id, sealed)
       SELECT $1, $2, $3, $4, $5, $6, $7 WHERE (SELECT count(*) FROM credentials WHERE user_id = $2) < ${MOST}
       RETURNING ${COLUMNS}`,
      [id, userId, provider, label, key.length >= 12 ? key.slice(-4) : '****', keyId, sealed],
    );
    if (!row) throw Problem.conflict('too_many', `An account holds ${MOST} credentials at most.`);
    return present(row);
  }

  /** Throws 404 where it is not the person's own. */
  async remove(tx: Tx, userId: string, id: string): Promise<void> {
    const removed = await tx.one(`DELETE FROM credentials WHERE id = $1 AND user_id = $2 RETURNING 1 AS removed`, [
      id,
      userId,
    ]);
    if (!removed) throw Problem.notFound('This credential');
  }

  /** The newest key that somebody has at a provider, for calling it in their name; nothing where there is none. */
  async reveal(userId: string, provider: string): Promise<string | undefined> {
    const row = await this.database.one<Sealed & { id: string }>(
      `SELECT id, key_id AS "keyId", sealed FROM credentials WHERE user_id = $1 AND provider = $2
       ORDER BY id DESC LIMIT 1`,
      [userId, provider],
    );
    return row && this.box.open(row, contextOf(row.id));
  }
}

export function contextOf(credentialId: string): string {
  return `credential:${credentialId}`;
}

function present(row: CredentialRow): CredentialView {
  return { ...row, createdAt: row.createdAt.toISOString() };
}
