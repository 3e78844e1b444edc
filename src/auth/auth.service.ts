import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { Config } from '../platform/config/config.js';
import { type Tx, UnitOfWork } from '../platform/database/unit-of-work.js';
import { Problem } from '../platform/http/problem.js';
import { presentAccount } from '../users/profile.presenter.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { LoginBody, RegisterBody, SignedInAnswer } from './auth.dto.js';
import { Login } from './login.entity.js';
import { Passwords } from './passwords.js';
import { newRefreshToken, TokensService } from './tokens.service.js';

/** From where somebody signs in. */
export interface Origin {
  device: string | null;
  address: string | null;
}

@Injectable()
export class AuthService {
  constructor(
    private readonly work: UnitOfWork,
    private readonly users: UsersService,
    private readonly passwords: Passwords,
    private readonly tokens: TokensService,
    private readonly config: Config,
  ) {}

  /** Creates an account and signs it in. Throws 409 where the name or address is taken. */
  async register({ password, ...account }: RegisterBody, origin: Origin): Promise<SignedInAnswer> {
    const passwordHash = await this.passwords.hash(password);
    return this.work.run(async (tx) => {
      const user = await this.users.create(tx, { ...account, passwordHash });
      return this.signIn(tx, user, origin);
    });
  }

  /** Throws one and the same 401 for a wrong password, an unknown account and a switched-off one. */
  async login({ login, password }: LoginBody, origin: Origin): Promise<SignedInAnswer> {
    const user = await this.users.findByLogin(login);
    const right = await this.passwords.matches(password, user?.passwordHash);
    if (!user || !right || user.disabledAt) throw Problem.unauthorized('The login or the password is wrong.');
    return this.work.run((tx) => this.signIn(tx, user, origin));
  }

  private async signIn(tx: Tx, user: User, origin: Origin): Promise<SignedInAnswer> {
    const { token: refreshToken, hash } = newRefreshToken();
    const loginId = uuidv7();
    await tx.manager.insert(Login, {
      id: loginId,
      userId: user.id,
      refreshHash: hash,
      expiresAt: new Date(Date.now() + this.config.refreshTokenSeconds * 1000),
      ...origin,
    });
    return { user: presentAccount(user), ...this.tokens.issue(user.id, loginId), refreshToken };
  }
}
