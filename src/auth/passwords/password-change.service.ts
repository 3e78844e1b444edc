import { Injectable, Logger } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { Database } from '../../platform/database/database.js';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { Problem } from '../../platform/http/problem.js';
import { Limits } from '../../platform/limits/limits.js';
import { Mailer } from '../../platform/mail/mailer.js';
import { comparable } from '../../users/names.js';
import type { User } from '../../users/user.entity.js';
import { UsersService } from '../../users/users.service.js';
import type { Actor } from '../actor.js';
import { AccountAudit } from '../audit/account-audit.service.js';
import { endLogins } from '../logins/end-logins.js';
import { sha256 } from '../logins/refresh-token.js';
import type { Origin } from '../origin.js';
import { PasswordsOfAccounts } from './passwords-of-accounts.js';
import { Passwords } from './passwords.js';

const RESET_MINUTES = 30;

/** New passwords, from somebody who knows the old one or reads the account's mail. */
@Injectable()
export class PasswordChangeService {
  private readonly logger = new Logger(PasswordChangeService.name);

  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly users: UsersService,
    private readonly passwords: Passwords,
    private readonly accounts: PasswordsOfAccounts,
    private readonly audit: AccountAudit,
    private readonly limits: Limits,
    private readonly mailer: Mailer,
  ) {}

  /** Ends all other logins. Throws 403 `wrong_password`. */
  async change({ userId, loginId }: Actor, current: string, next: string, origin: Origin): Promise<void> {
    const user = await this.accounts.confirm(userId, current);
    mustNotName(next, user);
    const passwordHash = await this.passwords.hash(next);
    await this.work.run(async (tx) => {
      await this.accounts.lock(tx, user);
      await this.replace(tx, userId, passwordHash, loginId);
      await this.audit.note(tx, { userId, kind: 'password_changed', origin });
    });
    this.tell(user);
  }

  /** Mails a token where the address is somebody's. It neither says nor shows by its time whether it is. */
  async forgot(email: string, origin: Origin): Promise<void> {
    await this.limits.spendByAddress('mail by address', origin.address);
    await this.limits.spend('mail by account', comparable(email));
    // Not waited for: how long it takes would tell whether there is such an account.
    this.mailToken(email, origin).catch((error: unknown) => {
      this.logger.error({ err: error as Error }, 'a password reset could not be mailed');
    });
  }

  /** Sets a new password with a token that was mailed, once, and ends every login. Throws 400 `invalid_token`. */
  async reset(token: string, next: string, origin: Origin): Promise<void> {
    await this.limits.spendByAddress('reset by address', origin.address);
    const hash = sha256(token);
    const known = await this.database.one<{ userId: string }>(
      `SELECT user_id AS "userId" FROM password_resets WHERE hash = $1 AND expires_at > now()`,
      [hash],
    );
    if (!known) throw badToken();
    const passwordHash = await this.passwords.hash(next);
    const user = await this.work.run(async (tx) => {
      // The account first, as whoever sets a password, or deletes the account, locks it before its tokens go.
      const present = await this.users.lock(tx, known.userId);
      const taken = await tx.one(
        `DELETE FROM password_resets WHERE hash = $1 AND expires_at > now() RETURNING 1 AS taken`,
        [hash],
      );
      if (!taken || !present || present.disabledAt) throw badToken();
      mustNotName(next, present);
      await this.replace(tx, present.id, passwordHash);
      await this.audit.note(tx, { userId: present.id, kind: 'password_reset', origin });
      return present;
    });
    this.tell(user);
  }

  private async mailToken(email: string, origin: Origin): Promise<void> {
    const user = await this.users.findByLogin(email);
    if (!user?.email || user.disabledAt || user.kind === 'bot') return;
    const token = randomBytes(32).toString('base64url');
    // Once more under the row's lock: the address may be somebody else's from this moment on.
    const kept = await this.database.query(
      `INSERT INTO password_resets (hash, user_id, expires_at)
       SELECT $1, id, now() + make_interval(mins => ${RESET_MINUTES}) FROM users
       WHERE id = $2 AND email_key = $3 AND disabled_at IS NULL FOR SHARE RETURNING 1`,
      [sha256(token), user.id, user.emailKey],
    );
    if (kept.length === 0) return;
    await this.audit.noteAlone({ userId: user.id, kind: 'password_reset_asked', origin });
    this.mailer.post({
      to: user.email,
      subject: 'A new password',
      text: `Somebody asked for a new password for ${user.username}. To set one, give this token within ${RESET_MINUTES} minutes:\n\n${token}\n\nIf it was not you, nothing needs to be done.\n`,
    });
  }

  /** Whatever was mailed for the old password is void, and every login but the one that is kept ends. */
  private async replace(tx: Tx, userId: string, passwordHash: string, keptLogin?: string): Promise<void> {
    await this.users.setPassword(tx, userId, passwordHash);
    await tx.query(`DELETE FROM password_resets WHERE user_id = $1`, [userId]);
    await endLogins(tx, userId, keptLogin ? { except: keptLogin } : {});
  }

  private tell({ email, username }: User): void {
    if (!email) return;
    const text = `The password of ${username} was changed. If it was not you, ask for a new one at once.\n`;
    this.mailer.post({ to: email, subject: 'Your password was changed', text });
  }
}

function mustNotName(password: string, { username, email }: User): void {
  const names = [username, email ?? username].map(comparable);
  if (names.includes(comparable(password))) throw Problem.invalid('newPassword', 'must not be the name or the address');
}

function badToken(): Problem {
  return new Problem(400, 'invalid_token', 'The token is not good, or no longer.', [
    { path: 'token', message: 'is not good, or no longer' },
  ]);
}
