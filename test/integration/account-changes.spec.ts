import { jest } from '@jest/globals';
import { hash } from 'bcrypt';
import { Secret, TOTP } from 'otpauth';
import type { Actor } from '../../src/auth/actor.js';
import { Actors } from '../../src/auth/actors.js';
import { AuthService } from '../../src/auth/auth.service.js';
import { CredentialsController } from '../../src/auth/credentials.controller.js';
import { SecondFactorService } from '../../src/auth/second-factor/second-factor.service.js';
import { Database } from '../../src/platform/database/database.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';

const ORIGIN = { device: null, address: null };
const PASSWORD = 'a long enough one';

describe('what happens to one account in one moment', () => {
  let services: Services;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
  }, 60_000);
  afterAll(() => services.close());

  const the = <T>(type: new (...args: any[]) => T): T => services.app.get(type);
  const sql = (text: string, values: unknown[] = []): Promise<any[]> => services.dataSource.query(text, values);
  const newcomer = async (username: string): Promise<Actor> => {
    const body = { username, email: `${username}@example.org`, password: PASSWORD };
    const { user } = await the(AuthService).register(body, ORIGIN);
    const [{ id }] = await sql(`SELECT id FROM logins WHERE user_id = $1`, [user.id]);
    return (await the(Actors).find(id)) as Actor;
  };

  it('is ten keys at providers, all of which are kept', async () => {
    const ada = await actor(services.dataSource, 'ada');
    const keys = Array.from({ length: 10 }, (_, i) => ({
      provider: 'openai',
      label: `key ${i}`,
      key: 'sk-0123456789',
    }));
    await Promise.all(keys.map((key) => the(CredentialsController).add(ada, key, ORIGIN)));
    expect(await sql(`SELECT 1 FROM credentials WHERE user_id = $1`, [ada.userId])).toHaveLength(10);
  }, 20_000);

  it('is two devices that sign in for the first time since the import of an old hash', async () => {
    const { user } = await the(AuthService).register(
      { username: 'old', email: 'old@example.org', password: PASSWORD },
      ORIGIN,
    );
    await sql(`UPDATE users SET password_hash = $2 WHERE id = $1`, [user.id, await hash(PASSWORD, 4)]);
    const signIn = () => the(AuthService).login({ login: 'old', password: PASSWORD }, ORIGIN);
    const both = await Promise.all([signIn(), signIn()]);
    expect(both.map((answer) => answer.user.id)).toEqual([user.id, user.id]);
  });

  it('is a second factor begun anew while the first secret is confirmed with its code', async () => {
    const eve = await newcomer('eve');
    const first = await the(SecondFactorService).begin(eve, PASSWORD);
    const database = the(Database);
    const one = database.one.bind(database);
    jest.spyOn(database, 'one').mockImplementationOnce(async (...asked) => {
      const found = await one(...asked);
      await the(SecondFactorService).begin(eve, PASSWORD);
      return found;
    });
    const code = new TOTP({ secret: Secret.fromBase32(first.secret) }).generate();
    await expect(the(SecondFactorService).confirm(eve, code, ORIGIN)).rejects.toMatchObject({ status: 400 });
    expect(await sql(`SELECT confirmed_at FROM second_factors WHERE user_id = $1`, [eve.userId])).toEqual([
      { confirmed_at: null },
    ]);
  });
});
