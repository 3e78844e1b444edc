import { jest } from '@jest/globals';
import { hash } from 'bcrypt';
import { setTimeout as pause } from 'node:timers/promises';
import { Secret, TOTP } from 'otpauth';
import type { Actor } from '../../src/auth/actor.js';
import { Actors } from '../../src/auth/actors.js';
import { AuthService } from '../../src/auth/auth.service.js';
import { CredentialsController } from '../../src/auth/credentials.controller.js';
import { PasswordChangeService } from '../../src/auth/passwords/password-change.service.js';
import { ProfileService } from '../../src/auth/profile.service.js';
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
  const untilWaiting = async (count: number) => {
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    while ((await sql(waiting)).length < count) await pause(5);
  };
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

  it('is a new password, while somebody who knows the old one changes the address or takes the second factor off', async () => {
    const owner = await newcomer('owner');
    await the(AuthService).login({ login: 'owner', password: PASSWORD }, ORIGIN);
    const [{ id }] = await sql(`SELECT id FROM logins WHERE user_id = $1 AND id <> $2`, [owner.userId, owner.loginId]);
    const thief = (await the(Actors).find(id)) as Actor;
    const { secret } = await the(SecondFactorService).begin(owner, PASSWORD);
    const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate();
    await the(SecondFactorService).confirm(owner, code, ORIGIN);
    const holder = services.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query(`SELECT 1 FROM users WHERE id = $1 FOR UPDATE`, [owner.userId]);
    const setting = the(PasswordChangeService).change(owner, PASSWORD, 'quite another long one', ORIGIN);
    await untilWaiting(1);
    const acts = Promise.allSettled([
      the(ProfileService).change(thief, { email: 'thief@example.org', currentPassword: PASSWORD }, ORIGIN),
      the(SecondFactorService).remove(thief, PASSWORD, ORIGIN),
    ]);
    await untilWaiting(3);
    await holder.rollbackTransaction();
    await holder.release();
    await setting;
    expect(await acts).toMatchObject([{ reason: { status: 409 } }, { reason: { status: 409 } }]);
    expect(
      await sql(
        `SELECT email, confirmed_at IS NOT NULL AS on FROM users JOIN second_factors ON user_id = id WHERE id = $1`,
        [owner.userId],
      ),
    ).toEqual([{ email: 'owner@example.org', on: true }]);
  }, 20_000);

  it('is a guest claimed through a login that is being ended', async () => {
    const { user } = await the(AuthService).guest({}, ORIGIN);
    const [{ id }] = await sql(`SELECT id FROM logins WHERE user_id = $1`, [user.id]);
    const guest = (await the(Actors).find(id)) as Actor;
    const holder = services.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query(`SELECT 1 FROM users WHERE id = $1 FOR UPDATE`, [user.id]);
    const body = { username: 'claimed', email: 'claimed@example.org', password: PASSWORD };
    const claiming = Promise.allSettled([the(AuthService).claim(guest, body, ORIGIN)]);
    await untilWaiting(1);
    await holder.query(`UPDATE logins SET ended_at = now() WHERE id = $1`, [id]);
    await holder.commitTransaction();
    await holder.release();
    expect(await claiming).toMatchObject([{ reason: { status: 401 } }]);
    expect(await sql(`SELECT kind FROM users WHERE id = $1`, [user.id])).toEqual([{ kind: 'guest' }]);
  }, 20_000);
});
