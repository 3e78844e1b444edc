import { createHash, randomBytes } from 'node:crypto';

export interface RefreshToken {
  token: string;
  /** Of the part that every refresh token of one login shares. */
  familyHash: Buffer;
  /** Of the whole, which is another one each time. */
  hash: Buffer;
}

/** A refresh token is `<family>.<secret>`: with the right family and another secret it is an old one. */
export function newRefreshToken(family = randomBytes(24).toString('base64url')): RefreshToken {
  const token = `${family}.${randomBytes(32).toString('base64url')}`;
  return { token, familyHash: sha256(family), hash: sha256(token) };
}

/** Takes what a client sent and gives its hashes; nothing for what can be no refresh token. */
export function readRefreshToken(token: string): (RefreshToken & { family: string }) | undefined {
  const [family, secret, ...rest] = token.split('.');
  if (!family || !secret || rest.length > 0) return undefined;
  return { token, family, familyHash: sha256(family), hash: sha256(token) };
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
