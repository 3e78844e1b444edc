import { isLegacyHash, matchesLegacyHash } from './legacy-hashes.js';

describe('Hashes of the old systems', () => {
  it('is not fooled by what only looks like one', async () => {
    for (const stored of ['', '$2b$', '$2b$04$short', 'pbkdf2:sha256$salt$', 'scrypt:0:0:0$a$00', 'plain']) {
      await expect(matchesLegacyHash('x', stored)).resolves.toBe(false);
    }
    expect(isLegacyHash('$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA')).toBe(false);
  });

  it('refuses a hash that would cost the house its memory or its time', async () => {
    await expect(matchesLegacyHash('x', 'scrypt:16777216:128:8$salt$00ff')).resolves.toBe(false);
    await expect(matchesLegacyHash('x', 'pbkdf2:sha256:99999999$salt$00ff')).resolves.toBe(false);
  });
});
