import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';

const NONCE = 12;
const TAG = 16;

export interface Sealed {
  /** Which key it was sealed with. */
  keyId: string;
  /** Nonce, tag and ciphertext. */
  sealed: Buffer;
}

/**
 * Encrypts with AES-256-GCM (NIST SP 800-38D). The first ENCRYPTION_KEY seals; all of them open, so that keys can be
 * exchanged while the app runs. `context` names what the secret belongs to: moved to another row it does not open.
 */
@Injectable()
export class SecretBox {
  private readonly keys: ReadonlyMap<string, Buffer>;
  /** What new secrets are sealed with. */
  readonly currentKeyId: string;

  constructor({ encryptionKeys }: Config) {
    const pairs = encryptionKeys.map((text) => [keyIdOf(text), derive(text)] as const);
    this.keys = new Map(pairs);
    this.currentKeyId = pairs[0]?.[0] ?? '';
  }

  seal(secret: string, context: string): Sealed {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.key(this.currentKeyId), nonce, { authTagLength: TAG });
    cipher.setAAD(Buffer.from(context));
    const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return { keyId: this.currentKeyId, sealed: Buffer.concat([nonce, cipher.getAuthTag(), text]) };
  }

  /** Throws where the key is not configured any more, or the secret was tampered with or moved. */
  open({ keyId, sealed }: Sealed, context: string): string {
    const nonce = sealed.subarray(0, NONCE);
    const decipher = createDecipheriv('aes-256-gcm', this.key(keyId), nonce, { authTagLength: TAG });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(sealed.subarray(NONCE, NONCE + TAG));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE + TAG)), decipher.final()]).toString('utf8');
  }

  private key(keyId: string): Buffer {
    const key = this.keys.get(keyId);
    if (!key) throw new Error(`ENCRYPTION_KEY holds no key with the id ${keyId}.`);
    return key;
  }
}

function derive(text: string): Buffer {
  return Buffer.from(hkdfSync('sha256', text, '', 'parley secret box', 32));
}

function keyIdOf(text: string): string {
  return createHash('sha256').update('parley key id').update(text).digest('hex').slice(0, 12);
}
