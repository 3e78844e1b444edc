import { Injectable } from '@nestjs/common';
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
}
