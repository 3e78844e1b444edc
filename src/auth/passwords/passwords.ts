import { hash, verify } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';
import { HashingLine } from './hashing-line.js';
import { isLegacyHash, matchesLegacyHash } from './legacy-hashes.js';

/** Of the package's const enum, which a per-file compiler cannot read. */
const ARGON2ID = 2;
/** OWASP Password Storage Cheat Sheet: argon2id, 19 MiB, 2 passes, 1 lane. */
const PARAMETERS = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const CURRENT_FORM = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/;

/** Compared with where there is no account, so that both answers take the same time. */
const NOBODY = hash('nobody has this password', PARAMETERS);

/** Hashes off the main thread, a bounded number at once. Both calls throw 503 `overloaded` in a storm. */
@Injectable()
export class Passwords {
  constructor(private readonly line: HashingLine) {}

  hash(password: string): Promise<string> {
    return this.line.run(() => hash(password, PARAMETERS));
  }

  /** False for a wrong password and for no hash at all, after the same time. */
  async matches(password: string, stored: string | null | undefined): Promise<boolean> {
    const nobody = await NOBODY;
    return this.line.run(async () => {
      if (stored && isLegacyHash(stored)) return matchesLegacyHash(password, stored);
      const known = stored?.startsWith('$argon2') ? stored : undefined;
      const right = await verify(known ?? nobody, password);
      return right && known !== undefined;
    });
  }

  /** True where a right password should be hashed anew: the stored hash is an old system's, or weaker than today's. */
  isOutdated(stored: string): boolean {
    return !CURRENT_FORM.test(stored);
  }
}
