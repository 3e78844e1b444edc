import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Config } from '../platform/config/config.js';

/**
 * What tokens are signed with. As a KeyObject: given a text, jsonwebtoken first tries for each token to read it as a
 * public key, which takes forty times as long as the check itself.
 */
export function signingKey({ secretKey }: Config): KeyObject {
  return createSecretKey(Buffer.from(secretKey));
}
