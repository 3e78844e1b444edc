import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { AccountAudit } from '../../auth/audit/account-audit.service.js';
import { AccountChanged } from '../../auth/auth.events.js';
import { endLogins } from '../../auth/logins/end-logins.js';
import { sha256 } from '../../auth/logins/refresh-token.js';
import { Database } from '../../platform/database/database.js';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { type Page, pageOf, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import { leaveAdvocacy, lockHelped } from '../../sessions/peer/leave-advocacy.js';
import { comparable } from '../../users/names.js';
import { User } from '../../users/user.entity.js';
import { type AccountsQuery, type AdministeredAccount, presentAdministered, type RightsBody } from './accounts.dto.js';

const RESET_MINUTES = 60;

/** What administrators do to accounts, over HTTP and from the command line alike. */
@Injectable()
export class AccountAdministration {
  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly audit: AccountAudit,
  ) {}

  /** Oldest first; `q` is how the username starts. */
  async list({ limit, cursor, q }: AccountsQuery): Promise<Page<AdministeredAccount>> {
    const [after] = readCursor(cursor, q === undefined ? ['id'] : ['string']) ?? [];
    const prefix = comparable(q ?? '').replace(/[\\%_]/g, '\\$&');
    const [field, where] = q === undefined ? ['id', 'true'] : ['username_key', 'username_key LIKE $3'];
    const rows = await this.database.query<User>(
      `SELECT id, username, username_key AS "usernameKey", email, display_name AS "displayName",
         avatar_url AS "avatarUrl", kind, is_admin AS "isAdmin", is_advocate AS "isAdvocate",
         second_factor_required AS "secondFactorRequired", disabled_at AS "disabledAt", created_at AS "createdAt"
       FROM users WHERE ${where} AND ($1::text IS NULL OR ${field} > $1::${q === undefined ? 'uuid' : 'text'})
       ORDER BY ${field} LIMIT $2`,
      q === undefined ? [after ?? null, limit + 1] : [after ?? null, limit + 1, `${prefix}%`],
    );
    return pageOf(rows, limit, (user) => [q === undefined ? user.id : user.usernameKey], presentAdministered);
  }

  /** The whole trail of an account is for its owner; administrators read it too. Throws 404. */
  async mustExist(userId: string): Promise<void> {
    const user = await this.database.one(`SELECT 1 FROM users WHERE id = $1`, [userId]);
    if (!user) throw Problem.notFound('This account');
  }

  /**
   * Takes effect at once, on open sockets too. Throws 404, and 409 `last_administrator` where nobody would be left to
   * administer. `actorId` is none for the command line.
   */
  async change(userId: string, change: RightsBody, actorId?: string): Promise<AdministeredAccount> {
    return this.work.run(async (tx) => {
      const endsAdvocacy = change.isAdvocate === false || change.disabled === true;
      // In one order, so that two who demote each other take turns.
      const administrators = await tx.query<{ id: string }>(
        `SELECT id FROM users WHERE is_admin AND disabled_at IS NULL ORDER BY id FOR NO KEY UPDATE`,
      );
      if (endsAdvocacy) await lockHelped(tx, userId);
      const before = await tx.manager.findOne(User, { where: { id: userId }, lock: { mode: 'pessimistic_write' } });
      if (!before) throw Problem.notFound('This account');
      const leaves = change.isAdmin === false || change.disabled === true;
      if (leaves && before.isAdmin && !administrators.some(({ id }) => id !== userId)) throw lastAdministrator();
      await this.write(tx, userId, change, actorId);
      const after = await tx.manager.findOneByOrFail(User, { id: userId });
      if (endsAdvocacy) await leaveAdvocacy(tx, userId);
      tx.announce(AccountChanged([], { userId }));
      return presentAdministered(after);
    });
  }

  /** A token with which the person sets a new password, once, within the hour; all their logins end now. */
  async resetPassword(userId: string): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    await this.work.run(async (tx) => {
      await tx.query(`UPDATE users SET password_hash = NULL WHERE id = $1`, [userId]);
      await tx.query(
        `INSERT INTO password_resets (hash, user_id, expires_at)
         VALUES ($1, $2, now() + make_interval(mins => ${RESET_MINUTES}))`,
        [sha256(token), userId],
      );
      await endLogins(tx, userId);
      await this.audit.note(tx, { userId, kind: 'password_reset_asked' });
    });
    return token;
  }

  /** For somebody who has lost theirs and the recovery codes; all their logins end. */
  async removeSecondFactor(userId: string): Promise<void> {
    await this.work.run(async (tx) => {
      await this.audit.note(tx, { userId, kind: 'second_factor_off' });
      await tx.query(`DELETE FROM second_factors WHERE user_id = $1`, [userId]);
      await endLogins(tx, userId);
    });
  }

  /** Takes a username or an address. Throws 404. */
  async idOf(login: string): Promise<string> {
    const row = await this.database.one<{ id: string }>(
      `SELECT id FROM users WHERE username_key = $1 OR email_key = $1`,
      [comparable(login)],
    );
    if (!row) throw Problem.notFound(`An account ${login}`);
    return row.id;
  }

  private async write(tx: Tx, userId: string, change: RightsBody, actorId: string | undefined): Promise<void> {
    const { isAdmin, isAdvocate, disabled, secondFactorRequired } = change;
    await tx.query(
      `UPDATE users SET is_admin = coalesce($2, is_admin), is_advocate = coalesce($3, is_advocate),
         second_factor_required = coalesce($4, second_factor_required),
         disabled_at = CASE WHEN $5::boolean THEN coalesce(disabled_at, now()) WHEN NOT $5 THEN NULL ELSE disabled_at END,
         updated_at = now()
       WHERE id = $1`,
      [userId, isAdmin ?? null, isAdvocate ?? null, secondFactorRequired ?? null, disabled ?? null],
    );
    if (disabled) await endLogins(tx, userId, { accessEnded: true });
    if (disabled !== undefined) await this.audit.note(tx, { userId, kind: disabled ? 'disabled' : 'enabled', actorId });
    if ([isAdmin, isAdvocate, secondFactorRequired].some((right) => right !== undefined)) {
      await this.audit.note(tx, { userId, kind: 'rights_changed', actorId });
    }
  }
}

function lastAdministrator(): Problem {
  return Problem.conflict('last_administrator', 'The last administrator can be neither demoted nor switched off.');
}
