import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { Problem } from '../platform/http/problem.js';
import { Mailer } from '../platform/mail/mailer.js';
import { type Account, presentAccount } from '../users/profile.presenter.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { Actor } from './actor.js';
import { AccountAudit } from './audit/account-audit.service.js';
import { AccountChanged } from './auth.events.js';
import type { Origin } from './origin.js';
import { PasswordsOfAccounts } from './passwords/passwords-of-accounts.js';
import type { ProfileBody } from './users.dto.js';

/** What people change about themselves. */
@Injectable()
export class ProfileService {
  constructor(
    private readonly work: UnitOfWork,
    private readonly users: UsersService,
    private readonly passwords: PasswordsOfAccounts,
    private readonly audit: AccountAudit,
    private readonly mailer: Mailer,
  ) {}

  /** A new address asks for the password: who has it can have a new password mailed. Throws 409 where it is taken. */
  async change({ userId }: Actor, { currentPassword, ...change }: ProfileBody, origin: Origin): Promise<Account> {
    const { email, username } = change;
    const confirmed = email !== undefined && (await this.confirm(userId, currentPassword));
    const { before, after } = await this.work.run(async (tx) => {
      const before = await (confirmed ? this.passwords.lock(tx, confirmed) : this.users.lock(tx, userId));
      if (!before) throw Problem.unauthorized();
      if (email !== undefined && before.kind === 'guest') throw Problem.conflict('no_password', 'Claim it first.');
      const after = await this.users.change(tx, userId, change);
      if (after.email !== before.email) await this.audit.note(tx, { userId, kind: 'email_changed', origin });
      if (username !== undefined) await this.audit.note(tx, { userId, kind: 'username_changed', origin });
      if (after.email !== before.email) await tx.query(`DELETE FROM password_resets WHERE user_id = $1`, [userId]);
      tx.announce(AccountChanged([], { userId }));
      return { before, after };
    });
    if (before.email && after.email !== before.email) this.tellOldAddress(before.email, after.username);
    return presentAccount(after);
  }

  private async confirm(userId: string, currentPassword: string | undefined): Promise<User> {
    if (currentPassword === undefined) throw Problem.invalid('currentPassword', 'is needed to change the address');
    return this.passwords.confirm(userId, currentPassword);
  }

  private tellOldAddress(to: string, username: string): void {
    const text = `The mail address of ${username} was changed. If it was not you, tell your administrator at once.\n`;
    this.mailer.post({ to, subject: 'Your mail address was changed', text });
  }
}
