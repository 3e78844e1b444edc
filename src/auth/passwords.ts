import { hash, verify } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';

/** Of the package's const enum, which a per-file compiler cannot read. */
const ARGON2ID = 2;
/** OWASP Password Storage Cheat Sheet: argon2id, 19 MiB, 2 passes, 1 lane. */
const PARAMETERS = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Compared with where there is no account, so that both answers take the same time. */
const NOBODY = hash('nobody has this password', PARAMETERS);

@Injectable()
export class Passwords {
  hash(password: string): Promise<string> {
    return hash(password, PARAMETERS);
  }

  /** False for a wrong password and for no hash at all, after the same time. */
  async matches(password: string, stored: string | null | undefined): Promise<boolean> {
    const right = await verify(stored ?? (await NOBODY), password);
    return right && stored !== null && stored !== undefined;
  }
}
