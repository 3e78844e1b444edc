import { loadConfig } from '../config/config.js';
import { SecretBox } from './secret-box.js';

const boxOf = (ENCRYPTION_KEY: string) => new SecretBox(loadConfig({ ENCRYPTION_KEY, SECRET_KEY: 'x'.repeat(32) }));

describe('The secret box', () => {
  const box = boxOf('first,second');

  it('opens what it sealed, and never seals twice alike', () => {
    const sealed = box.seal('sk-123', 'row:1');
    expect(box.open(sealed, 'row:1')).toBe('sk-123');
    expect(sealed.sealed.includes('sk-123')).toBe(false);
    expect(box.seal('sk-123', 'row:1').sealed).not.toEqual(sealed.sealed);
  });

  it('does not open what was moved to another row or changed in any byte', () => {
    const { keyId, sealed } = box.seal('sk-123', 'row:1');
    expect(() => box.open({ keyId, sealed }, 'row:2')).toThrow();
    for (let i = 0; i < sealed.length; i += 1) {
      const changed = Buffer.from(sealed);
      changed[i]! ^= 1;
      expect(() => box.open({ keyId, sealed: changed }, 'row:1')).toThrow();
    }
    expect(() => box.open({ keyId, sealed: sealed.subarray(0, 20) }, 'row:1')).toThrow();
  });

  it('opens with every key that is configured and with no other', () => {
    const old = boxOf('second').seal('sk-123', 'row:1');
    expect(box.open(old, 'row:1')).toBe('sk-123');
    expect(old.keyId).not.toBe(box.currentKeyId);
    expect(() => boxOf('third').open(old, 'row:1')).toThrow(/no key with the id/);
  });
});
