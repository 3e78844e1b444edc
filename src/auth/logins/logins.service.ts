import { Injectable } from '@nestjs/common';
import { timingSafeEqual } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import { presentAccount } from '../../users/profile.presenter.js';
import { Limits } from '../../platform/limits/limits.js';
import type { User } from '../../users/user.entity.js';
import type { Actor } from '../actor.js';
import { AccountAudit } from '../audit/account-audit.service.js';
import type { SignedInAnswer, TokensAnswer } from '../auth.dto.js';
import { Login } from '../login.entity.js';
import type { Origin } from '../origin.js';
import { TokensService } from '../tokens.service.js';
import { endLogins } from './end-logins.js';
import type { LoginView } from './logins.dto.js';
import { newRefreshToken, readRefreshToken } from './refresh-token.js';

/** However often it is refreshed, a login ends after this and the person signs in again. */
const LONGEST_DAYS = 180;

interface LivingLogin {
  id: string;
  userId: string;
  refreshHash: Buffer;
}

/** The life of a login: opened, refreshed, listed, ended. */
@Injectable()
export class LoginsService {
  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly tokens: TokensService,
    private readonly audit: AccountAudit,
    private readonly limits: Limits,
    private readonly config: Config,
  ) {}

  async open(tx: Tx, user: User, origin: Origin): Promise<SignedInAnswer> {
    const { token, hash, familyHash } = newRefreshToken();
    const id = uuidv7();
    await tx.manager.insert(Login, {
      id,
      userId: user.id,
      refreshHash: hash,
      familyHash,
      expiresAt: new Date(Date.now() + this.config.refreshTokenSeconds * 1000),
      ...origin,
    });
    return { user: presentAccount(user), ...this.tokens.issue(user.id, id), refreshToken: token };
  }

  /**
   * A new pair for a login that goes on, with its open sockets; its older refresh tokens are worth nothing. Throws 401 for
   * one that has ended meanwhile.
   */
  async renew(tx: Tx, user: User, loginId: string, origin: Origin): Promise<SignedInAnswer> {
    const { token, hash, familyHash } = newRefreshToken();
    const living = await tx.one(
      `UPDATE logins SET family_hash = $2 WHERE id = $1 AND ended_at IS NULL RETURNING 1 AS living`,
      [loginId, familyHash],
    );
    if (!living) throw Problem.unauthorized();
    await this.prolong(tx, loginId, hash, origin);
    return { user: presentAccount(user), ...this.tokens.issue(user.id, loginId), refreshToken: token };
  }

  /**
   * Gives a new pair for a refresh token that is good now. One that was used before ends the whole login: either its
   * thief or its owner holds it, and nobody can tell which (RFC 9700, section 4.14.2). Throws 401.
   */
  async refresh(refreshToken: string, origin: Origin): Promise<TokensAnswer> {
    await this.limits.spendByAddress('refresh by address', origin.address);
    const given = readRefreshToken(refreshToken);
    if (!given) throw badRefresh();
    // The end of a login must be committed, so it is told after the transaction and not thrown through it.
    const answer = await this.work.run(async (tx) => {
      const login = await lockLiving(tx, given.familyHash);
      if (!login) return undefined;
      if (timingSafeEqual(login.refreshHash, given.hash)) return this.rotate(tx, login, given.family, origin);
      await endLogins(tx, login.userId, { only: login.id });
      await this.audit.note(tx, { userId: login.userId, kind: 'refresh_reused', origin });
      return undefined;
    });
    if (!answer) throw badRefresh();
    await this.limits.giveBackByAddress('refresh by address', origin.address);
    return answer;
  }

  /** Where the calls come from, newest login first; `current` is the one that asks. */
  async list({ userId, loginId }: Actor, { limit, cursor }: PageQuery): Promise<Page<LoginView>> {
    const [before] = readCursor(cursor, ['id']) ?? [];
    const rows = await this.database.query<Omit<Login, 'refreshHash' | 'familyHash'>>(
      `SELECT id, device, address, created_at AS "createdAt", last_used_at AS "lastUsedAt" FROM logins
       WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now() AND ($2::uuid IS NULL OR id < $2)
       ORDER BY id DESC LIMIT $3`,
      [userId, before ?? null, limit + 1],
    );
    return pageOf(
      rows,
      limit,
      ({ id }) => [id],
      ({ id, device, address, createdAt, lastUsedAt }) => ({
        id,
        device,
        address,
        createdAt: createdAt.toISOString(),
        lastUsedAt: lastUsedAt.toISOString(),
        current: id === loginId,
      }),
    );
  }

  /** Ends one of the caller's own logins. Throws 404 for any other. */
  async endOne({ userId }: Actor, loginId: string, origin: Origin): Promise<void> {
    await this.work.run(async (tx) => {
      await this.audit.note(tx, { userId, kind: 'signed_out', origin });
      const ended = await endLogins(tx, userId, { only: loginId });
      if (ended.length === 0) throw Problem.notFound('This login');
    });
  }

  private async rotate(tx: Tx, { id, userId }: LivingLogin, family: string, origin: Origin): Promise<TokensAnswer> {
    const next = newRefreshToken(family);
    await this.prolong(tx, id, next.hash, origin);
    return { ...this.tokens.issue(userId, id), refreshToken: next.token };
  }

  private async prolong(tx: Tx, id: string, refreshHash: Buffer, { device, address }: Origin): Promise<void> {
    await tx.query(
      `UPDATE logins SET refresh_hash = $2, last_used_at = now(), device = $3, address = $4,
         expires_at = least(now() + make_interval(secs => $5), created_at + make_interval(days => ${LONGEST_DAYS}))
       WHERE id = $1`,
      [id, refreshHash, device, address, this.config.refreshTokenSeconds],
    );
  }
}

/**
 * The row stays locked until the transaction ends: of ten who come with one token the others find it used. Its account is
 * held first, as whoever ends all logins of one locks it first.
 */
async function lockLiving(tx: Tx, familyHash: Buffer): Promise<LivingLogin | undefined> {
  return tx.one<LivingLogin>(
    `SELECT l.id, l.user_id AS "userId", l.refresh_hash AS "refreshHash"
     FROM logins l JOIN users u ON u.id = l.user_id
     WHERE l.family_hash = $1 AND l.ended_at IS NULL AND l.expires_at > now() AND u.disabled_at IS NULL
     FOR KEY SHARE OF u FOR UPDATE OF l`,
    [familyHash],
  );
}

function badRefresh(): Problem {
  return Problem.unauthorized('The refresh token is not good, or no longer.');
}
