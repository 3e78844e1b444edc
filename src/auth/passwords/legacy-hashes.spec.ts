import { isLegacyHash, matchesLegacyHash } from './legacy-hashes.js';

// Made with Werkzeug's and bcrypt's own documents in mind: `correct horse` under each form.
const HASHES = {
  bcrypt: '$2b$04$N9qo8uLOickgx2ZMRZoMye',
};

describe('Hashes of the old systems', () => {
  it('is not fooled by what only looks like one', async () => {
    for (const stored of [HASHES.bcrypt, '', '$2b$', 'pbkdf2:sha256$salt$', 'scrypt:0:0:0$a$00', 'plain']) {
      await expect(matchesLegacyHash('x', stored)).resolves.toBe(false);
    }
  });

  it('refuses a hash that would cost the house its memory or its time', async () => {
    await expect(matchesLegacyHash('x', 'scrypt:16777216:128:8$salt$00ff')).resolves.toBe(false);
    await expect(matchesLegacyHash('x', 'pbkdf2:sha256:99999999$salt$00ff')).resolves.toBe(false);
    expect(isLegacyHash('$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA')).toBe(false);
  });
});
