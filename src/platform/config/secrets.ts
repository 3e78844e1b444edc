import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hasCode } from '../error-code.js';

const SAMPLES = /change.?me|change_this|your[-_ ]?secret|secret[-_ ]?key|password|example|test|parley/i;

/** Reads the secret kept in the data folder, making it on the first call. The file is readable by its owner only. */
export function keptSecret(dataDir: string, name: string): string {
  const file = path.join(dataDir, name);
  if (!existsSync(file)) {
    mkdirSync(dataDir, { recursive: true });
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, randomBytes(32).toString('base64url'), { mode: 0o600 });
    try {
      // A link is made or refused as a whole: of two starters both go on with the same secret.
      linkSync(draft, file);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    } finally {
      unlinkSync(draft);
    }
  }
  return readFileSync(file, 'utf8').trim();
}

/** Says what is weak about a secret that was given from outside, or nothing. */
export function weakness(secret: string): string | undefined {
  if (secret.length < 32) return 'is too short: give at least 32 random characters';
  if (new Set(secret).size < 10) return 'repeats itself: give at least 32 random characters';
  if (SAMPLES.test(secret)) return 'looks like a sample from a document: give at least 32 random characters';
  return undefined;
}
