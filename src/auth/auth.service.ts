import { Injectable, Logger } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { Problem } from '../platform/http/problem.js';
import { Limits } from '../platform/limits/limits.js';
import { comparable } from '../users/names.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { Actor } from './actor.js';
import { AccountAudit } from './audit/account-audit.service.js';
import type { ClaimBody, GuestBody, LoginBody, RegisterBody, SignedInAnswer } from './auth.dto.js';
import { AccountChanged } from './auth.events.js';
import { endLogins } from './logins/end-logins.js';
import { LoginsService } from './logins/logins.service.js';
import type { Origin } from './origin.js';
import { Passwords } from './passwords/passwords.js';
import { SecondFactorService } from './second-factor/second-factor.service.js';

/** The ways into the house. */
@Injectable()
export class AuthService {
  private readonly logger = new Logger(AuthService.name);

  constructor(
    private readonly work: UnitOfWork,
    private readonly users: UsersService,
    private readonly passwords: Passwords,
    private readonly logins: LoginsService,
    private readonly secondFactor: SecondFactorService,
    private readonly audit: AccountAudit,
    private readonly limits: Limits,
  ) {}

  /** Creates an account and signs it in. Throws 409 where the name or address is taken. */
  async register({ password, ...account }: RegisterBody, origin: Origin): Promise<SignedInAnswer> {
    await this.limits.spendByAddress('register by address', origin.address);
    mustNotBeOwnName(password, account);
    const passwordHash = await this.passwords.hash(password);
    return this.work.run(async (tx) => {
      const user = await this.users.create(tx, { ...account, passwordHash });
      await this.audit.note(tx, { userId: user.id, kind: 'registered', origin });
      return this.logins.open(tx, user, origin);
    });
  }

  /**
   * Throws one and the same 401 for a wrong password, an unknown account and a switched-off one, 401
   * `second_factor_required` for a right password without the code it takes, 429 for too many tries.
   */
  async login({ login, password, code }: LoginBody, origin: Origin): Promise<SignedInAnswer> {
    await this.limits.spendByAddress('sign-in by address', origin.address);
    const user = await this.users.findByLogin(login);
    // By the account and not by what was typed: the name and the address of one person are one target.
    const target = user?.id ?? comparable(login);
    await this.limits.spend('sign-in by account', target);

    const right = await this.passwords.matches(password, user?.passwordHash);
    if (!user || !right || user.disabledAt) {
      await this.noteFailure(user, origin);
      throw Problem.unauthorized('The login or the password is wrong.');
    }
    await this.limits.giveBack('sign-in by account', target);
    await this.limits.giveBackByAddress('sign-in by address', origin.address);
    await this.secondFactor.demand(user.id, code, origin);
    return this.enter(user, password, origin);
  }

  /** An account without a password, for as long as its login lives or until it is claimed. */
  async guest({ displayName }: GuestBody, origin: Origin): Promise<SignedInAnswer> {
    await this.limits.spendByAddress('register by address', origin.address);
    return this.work.run(async (tx) => {
      const username = `guest-${randomBytes(6).toString('hex')}`;
      const user = await this.users.create(tx, { username, displayName: displayName ?? 'Guest', kind: 'guest' });
      await this.audit.note(tx, { userId: user.id, kind: 'registered', origin });
      return this.logins.open(tx, user, origin);
    });
  }

  /** Turns a guest into a full account that keeps all it has. Throws 409 `not_a_guest`, or where a name is taken. */
  async claim(actor: Actor, { password, ...account }: ClaimBody, origin: Origin): Promise<SignedInAnswer> {
    await this.limits.spendByAddress('register by address', origin.address);
    mustNotBeOwnName(password, account);
    const passwordHash = await this.passwords.hash(password);
    return this.work.run(async (tx) => {
      const user = await this.users.claim(tx, actor.userId, { ...account, passwordHash });
      if (!user) throw Problem.conflict('not_a_guest', 'This account is no guest: it has been claimed already.');
      await this.audit.note(tx, { userId: user.id, kind: 'claimed', origin });
      tx.announce(AccountChanged([], { userId: user.id }));
      // Whoever else held the guest's login, by a token that leaked, does not come along into the full account.
      await endLogins(tx, user.id, { except: actor.loginId });
      return this.logins.renew(tx, user, actor.loginId, origin);
    });
  }

  private async enter(user: User, password: string, origin: Origin): Promise<SignedInAnswer> {
    const outdated = user.passwordHash !== null && this.passwords.isOutdated(user.passwordHash);
    const newHash = outdated ? await this.passwords.hash(password) : undefined;
    return this.work.run(async (tx) => {
      // Judged again under the row's lock: it may have been switched off, or given a new password, meanwhile.
      const present = await this.users.lock(tx, user.id);
      const isSame = present?.passwordHash === user.passwordHash;
      // An old hash is also replaced by another sign-in at this moment, with one of the same password.
      const isRight = isSame || (outdated && (await this.passwords.matches(password, present?.passwordHash)));
      if (!present || present.disabledAt || !isRight) {
        throw Problem.unauthorized('The login or the password is wrong.');
      }
      if (newHash && isSame) await this.users.setPassword(tx, user.id, newHash);
      await this.audit.note(tx, { userId: user.id, kind: 'signed_in', origin });
      return this.logins.open(tx, present, origin);
    });
  }

  private async noteFailure(user: User | null, origin: Origin): Promise<void> {
    if (user) await this.audit.noteAlone({ userId: user.id, kind: 'sign_in_failed', origin });
    this.logger.warn({ userId: user?.id, address: origin.address }, 'a sign-in failed');
  }
}

/** The first password that anybody would try. Throws 400. */
export function mustNotBeOwnName(password: string, { username, email }: { username: string; email: string }): void {
  const taken = [username, email, email.split('@')[0] ?? ''].map(comparable);
  if (taken.includes(comparable(password))) throw Problem.invalid('password', 'must not be the name or the address');
}
