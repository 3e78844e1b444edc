import { compare as compareBcrypt } from 'bcrypt';
import { pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const pbkdf2Of = promisify(pbkdf2);
const scryptOf: (password: string, salt: string, length: number, options: ScryptCost) => Promise<Buffer> =
  promisify(scrypt);

interface ScryptCost {
  N: number;
  r: number;
  p: number;
  maxmem: number;
}

const WERKZEUG_PBKDF2 = /^pbkdf2:(sha1|sha256|sha512):(\d{1,8})\$([^$]+)\$([0-9a-f]+)$/;
const WERKZEUG_SCRYPT = /^scrypt:(\d{1,8}):(\d{1,3}):(\d{1,3})\$([^$]+)\$([0-9a-f]+)$/;
const BCRYPT = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;

/** A hash that came with an import may not cost more than this, whoever wrote it. */
const MAX_ITERATIONS = 5_000_000;
const MAX_MEMORY = 256 * 1024 * 1024;

/** True where it is a hash of one of the old systems: bcrypt, or Werkzeug's pbkdf2 and scrypt. */
export function isLegacyHash(stored: string): boolean {
  return [BCRYPT, WERKZEUG_PBKDF2, WERKZEUG_SCRYPT].some((form) => form.test(stored));
}

/** Compares with a hash of an old system. False for one that is of none of their forms. */
export async function matchesLegacyHash(password: string, stored: string): Promise<boolean> {
  if (BCRYPT.test(stored)) return compareBcrypt(password, stored);
  const [, digest, iterations, pbkdf2Salt, pbkdf2Hex] = WERKZEUG_PBKDF2.exec(stored) ?? [];
  if (digest && iterations && pbkdf2Salt && pbkdf2Hex) {
    const expected = Buffer.from(pbkdf2Hex, 'hex');
    const count = Number(iterations);
    if (count < 1 || count > MAX_ITERATIONS) return false;
    return same(await pbkdf2Of(password, pbkdf2Salt, count, expected.length || 1, digest), expected);
  }
  const [, n, r, p, salt, hex] = WERKZEUG_SCRYPT.exec(stored) ?? [];
  return n && r && p && salt && hex ? matchesScrypt(password, Number(n), Number(r), Number(p), salt, hex) : false;
}

async function matchesScrypt(password: string, N: number, r: number, p: number, salt: string, hex: string) {
  const needed = 132 * N * r * p;
  const isPowerOfTwo = N > 1 && (N & (N - 1)) === 0;
  if (!isPowerOfTwo || r < 1 || p < 1 || needed > MAX_MEMORY) return false;
  const expected = Buffer.from(hex, 'hex');
  return same(await scryptOf(password, salt, expected.length || 1, { N, r, p, maxmem: needed }), expected);
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
