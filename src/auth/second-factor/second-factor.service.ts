import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { Database } from '../../platform/database/database.js';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { Problem } from '../../platform/http/problem.js';
import { Limits } from '../../platform/limits/limits.js';
import { SecretBox } from '../../platform/secrets/secret-box.js';
import type { Actor } from '../actor.js';
import { AccountAudit } from '../audit/account-audit.service.js';
import { AccountChanged } from '../auth.events.js';
import { sha256 } from '../logins/refresh-token.js';
import type { Origin } from '../origin.js';
import { PasswordsOfAccounts } from '../passwords/passwords-of-accounts.js';

const PERIOD_SECONDS = 30;
/** A clock may be one step off, either way (RFC 6238, section 5.2). */
const WINDOW = 1;
const RECOVERY_CODES = 10;

interface FactorRow {
  keyId: string;
  sealed: Buffer;
  confirmed: boolean;
}

/** A second factor by TOTP (RFC 6238). Its secret lies encrypted, its recovery codes as hashes; no code counts twice. */
@Injectable()
export class SecondFactorService {
  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly box: SecretBox,
    private readonly passwords: PasswordsOfAccounts,
    private readonly audit: AccountAudit,
    private readonly limits: Limits,
  ) {}

  /** Throws 401 `second_factor_required` or `second_factor_wrong` where somebody has one and `code` is not it. */
  async demand(userId: string, code: string | undefined, origin: Origin): Promise<void> {
    const factor = await this.find(userId);
    if (!factor?.confirmed) return;
    if (!code) throw new Problem(401, 'second_factor_required', 'A code of the second factor is needed.');
    await this.limits.spend('second factor by account', userId);
    const right = (await this.takeTotp(userId, factor, code)) || (await this.takeRecoveryCode(userId, code, origin));
    if (!right) {
      await this.audit.noteAlone({ userId, kind: 'sign_in_failed', origin });
      throw new Problem(401, 'second_factor_wrong', 'The code is wrong, or was used before.');
    }
    await this.limits.giveBack('second factor by account', userId);
  }

  /** Begins to set one up, asking for the password. Nothing is demanded until it is confirmed. Throws 409. */
  async begin({ userId, profile }: Actor, currentPassword: string): Promise<{ secret: string; uri: string }> {
    await this.passwords.confirm(userId, currentPassword);
    const secret = new Secret({ size: 20 });
    const { keyId, sealed } = this.box.seal(secret.base32, contextOf(userId));
    const begun = await this.database.one(
      `INSERT INTO second_factors AS f (user_id, key_id, sealed) VALUES ($1, $2, $3)
       ON CONFLICT (user_id) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed, last_step = 0
         WHERE f.confirmed_at IS NULL
       RETURNING 1 AS begun`,
      [userId, keyId, sealed],
    );
    if (!begun) throw Problem.conflict('second_factor_on', 'There is a second factor already: take it off first.');
    return { secret: secret.base32, uri: totpOf(secret.base32, profile.username).toString() };
  }

  /** Puts it in force with a first code. Gives the recovery codes, which are never shown again. Throws 400, 409. */
  async confirm({ userId }: Actor, code: string, origin: Origin): Promise<string[]> {
    await this.limits.spend('second factor by account', userId);
    const factor = await this.find(userId);
    if (!factor) throw Problem.conflict('second_factor_off', 'No second factor is being set up.');
    if (factor.confirmed) throw Problem.conflict('second_factor_on', 'There is a second factor already.');
    if (!(await this.takeTotp(userId, factor, code))) throw Problem.invalid('code', 'is wrong, or was used before');
    const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
    await this.work.run(async (tx) => {
      await this.audit.note(tx, { userId, kind: 'second_factor_on', origin });
      const confirmed = await tx.one(
        `UPDATE second_factors SET confirmed_at = now() WHERE user_id = $1 AND sealed = $2 AND confirmed_at IS NULL
         RETURNING 1 AS done`,
        [userId, factor.sealed],
      );
      if (!confirmed) throw Problem.conflict('conflict', 'Somebody else set it up, or began anew, at this moment.');
      await this.keepCodes(tx, userId, codes);
      tx.announce(AccountChanged([], { userId }));
    });
    await this.limits.giveBack('second factor by account', userId);
    return codes;
  }

  /** Takes it off, asking for the password. Throws 403 where administrators demand one. */
  async remove({ userId }: Actor, currentPassword: string, origin: Origin): Promise<void> {
    const user = await this.passwords.confirm(userId, currentPassword);
    await this.work.run(async (tx) => {
      const { secondFactorRequired } = await this.passwords.lock(tx, user);
      if (secondFactorRequired) throw Problem.forbidden('An administrator demands a second factor of this account.');
      await tx.query(`DELETE FROM second_factors WHERE user_id = $1`, [userId]);
      await this.audit.note(tx, { userId, kind: 'second_factor_off', origin });
    });
  }

  private find(userId: string): Promise<FactorRow | undefined> {
    return this.database.one<FactorRow>(
      `SELECT key_id AS "keyId", sealed, confirmed_at IS NOT NULL AS confirmed FROM second_factors WHERE user_id = $1`,
      [userId],
    );
  }

  /**
   * One statement takes the step, so that of two who come with one code one gets in, and only of the secret that the code
   * is of: it may have been begun anew meanwhile.
   */
  private async takeTotp(userId: string, factor: FactorRow, code: string): Promise<boolean> {
    const totp = totpOf(this.box.open(factor, contextOf(userId)), '');
    const delta = totp.validate({ token: code.replace(/[ -]/g, ''), window: WINDOW });
    if (delta === null) return false;
    const step = Math.floor(Date.now() / 1000 / PERIOD_SECONDS) + delta;
    const taken = await this.database.one(
      `UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND sealed = $3 AND last_step < $2
       RETURNING 1 AS taken`,
      [userId, step, factor.sealed],
    );
    return taken !== undefined;
  }

  private async takeRecoveryCode(userId: string, code: string, origin: Origin): Promise<boolean> {
    const taken = await this.database.one(
      `DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2 RETURNING 1 AS taken`,
      [userId, hashOf(code)],
    );
    if (taken) await this.audit.noteAlone({ userId, kind: 'recovery_code_used', origin });
    return taken !== undefined;
  }

  private async keepCodes(tx: Tx, userId: string, codes: string[]): Promise<void> {
    await tx.query(`INSERT INTO recovery_codes (user_id, hash) SELECT $1, unnest($2::bytea[])`, [
      userId,
      codes.map(hashOf),
    ]);
  }
}

function totpOf(base32: string, label: string): TOTP {
  const secret = Secret.fromBase32(base32);
  return new TOTP({ issuer: 'Parley', label, secret, algorithm: 'SHA1', digits: 6, period: PERIOD_SECONDS });
}

function contextOf(userId: string): string {
  return `second-factor:${userId}`;
}

/** 112 bits, so that a fast hash suffices to keep it (ASVS 5.0, 6.5.2). */
function newRecoveryCode(): string {
  return (randomBytes(14).toString('hex').match(/.{7}/g) ?? []).join('-');
}

function hashOf(code: string): Buffer {
  return sha256(code.replace(/[ -]/g, '').toLowerCase());
}
