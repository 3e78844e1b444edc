import { Injectable } from '@nestjs/common';
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { Config } from '../../platform/config/config.js';

/** Long enough for a page to load its pictures. */
export const LINK_SECONDS = 300;

/**
 * Links that work without an access token, for pictures in pages. A link names a login: whoever follows it is judged
 * as that person at that moment, so it ends with the login, with their right to read, and in any case after five minutes.
 */
@Injectable()
export class SignedLinks {
  private readonly key: Buffer;

  constructor({ secretKey }: Config) {
    this.key = Buffer.from(hkdfSync('sha256', secretKey, '', 'parley attachment links', 32));
  }

  /** Gives the token for one file and one login, and when it expires. */
  sign(attachmentId: string, loginId: string, now = Date.now()): { token: string; expiresAt: Date } {
    const seconds = Math.floor(now / 1000) + LINK_SECONDS;
    const token = `${loginId}.${seconds}.${this.mac(attachmentId, loginId, seconds)}`;
    return { token, expiresAt: new Date(seconds * 1000) };
  }

  /** Gives the login that the token was made for; nothing where it is made up, for another file, or expired. */
  open(attachmentId: string, token: string, now = Date.now()): string | undefined {
    const [, loginId, seconds, mac] = /^([0-9a-f-]{36})\.(\d{1,12})\.([\w-]{43})$/.exec(token) ?? [];
    if (!loginId || !seconds || !mac) return undefined;
    const right = this.mac(attachmentId, loginId, Number(seconds));
    if (!timingSafeEqual(Buffer.from(mac), Buffer.from(right))) return undefined;
    return Number(seconds) * 1000 > now ? loginId : undefined;
  }

  private mac(...parts: (string | number)[]): string {
    return createHmac('sha256', this.key).update(parts.join(' ')).digest('base64url');
  }
}
