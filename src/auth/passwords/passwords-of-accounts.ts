import { Injectable } from '@nestjs/common';
import type { Tx } from '../../platform/database/unit-of-work.js';
import { Problem } from '../../platform/http/problem.js';
import { Limits } from '../../platform/limits/limits.js';
import type { User } from '../../users/user.entity.js';
import { UsersService } from '../../users/users.service.js';
import { Passwords } from './passwords.js';

/** Asks somebody who is signed in for their password again, before what a stolen token must not do. */
@Injectable()
export class PasswordsOfAccounts {
  constructor(
    private readonly users: UsersService,
    private readonly passwords: Passwords,
    private readonly limits: Limits,
  ) {}

  /** Throws 403 `wrong_password`, 429 for too many tries, 409 `no_password` for an account that has none. */
  async confirm(userId: string, password: string): Promise<User> {
    await this.limits.spend('password by account', userId);
    const user = await this.users.find(userId);
    if (!user) throw Problem.unauthorized();
    if (!user.passwordHash) throw Problem.conflict('no_password', 'This account has no password yet: claim it first.');
    if (!(await this.passwords.matches(password, user.passwordHash))) {
      throw new Problem(403, 'wrong_password', 'The password is wrong.', [
        { path: 'currentPassword', message: 'is wrong' },
      ]);
    }
    await this.limits.giveBack('password by account', userId);
    return user;
  }

  /**
   * The account that was confirmed, as it is now and with its row locked: it may have been given a new password meanwhile,
   * against whoever knows the old one. Throws 409, and 401 where it is gone.
   */
  async lock(tx: Tx, { id, passwordHash }: User): Promise<User> {
    const present = await this.users.lock(tx, id);
    if (!present) throw Problem.unauthorized();
    if (present.passwordHash !== passwordHash) throw Problem.conflict('conflict', 'The password has changed.');
    return present;
  }
}
