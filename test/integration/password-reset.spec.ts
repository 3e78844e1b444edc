import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Actor } from '../../src/auth/actor.js';
import { Actors } from '../../src/auth/actors.js';
import { AuthService } from '../../src/auth/auth.service.js';
import { ProfileService } from '../../src/auth/profile.service.js';
import { Passwords } from '../../src/auth/passwords/passwords.js';
import { PasswordChangeService } from '../../src/auth/passwords/password-change.service.js';
import { actor, type Services, twoNodes } from '../support/services.js';

const CALLERS = 20;
const ORIGIN = { device: null, address: null };

describe('a token for a new password', () => {
  let nodes: [Services, Services];
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ nodes, close } = await twoNodes());
  }, 60_000);
  afterAll(() => close());

  const untilWaiting = async (count: number) => {
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    while ((await nodes[0].dataSource.query(waiting)).length < count) await pause(5);
  };

  it('is not made for an address that the account leaves in this moment', async () => {
    const password = 'a long enough one';
    const old = 'old@example.org';
    const { user } = await nodes[0].app.get(AuthService).register({ username: 'victim', email: old, password }, ORIGIN);
    const [{ id: loginId }] = await nodes[0].dataSource.query(`SELECT id FROM logins WHERE user_id = $1`, [user.id]);
    const victim = (await nodes[0].app.get(Actors).find(loginId)) as Actor;
    const runner = nodes[0].dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query(`SELECT 1 FROM users WHERE id = $1 FOR UPDATE`, [user.id]);
    const changing = nodes[0].app
      .get(ProfileService)
      .change(victim, { email: 'new@example.org', currentPassword: password }, ORIGIN);
    await untilWaiting(1);
    await nodes[0].app.get(PasswordChangeService).forgot(old, ORIGIN);
    await untilWaiting(2);
    await runner.rollbackTransaction();
    await runner.release();
    expect((await changing).email).toBe('new@example.org');
    await pause(500);
    expect(await nodes[0].dataSource.query(`SELECT 1 FROM password_resets WHERE user_id = $1`, [user.id])).toEqual([]);
  }, 20_000);

  it('is taken beside another one of the same account, and only one of them', async () => {
    const { dataSource, app } = nodes[0];
    const { userId } = await actor(dataSource, 'twice');
    const tokens = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')];
    for (const token of tokens) {
      await dataSource.query(
        `INSERT INTO password_resets (hash, user_id, expires_at) VALUES ($1, $2, now() + interval '1 minute')`,
        [createHash('sha256').update(token).digest(), userId],
      );
    }
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query(`SELECT 1 FROM users WHERE id = $1 FOR UPDATE`, [userId]);
    const resets = Promise.allSettled(
      tokens.map((token) => app.get(PasswordChangeService).reset(token, 'a new long phrase', ORIGIN)),
    );
    await untilWaiting(2);
    await runner.rollbackTransaction();
    await runner.release();
    const refusals = (await resets).filter((result) => result.status === 'rejected');
    expect(refusals).toMatchObject([{ reason: { status: 400, code: 'invalid_token' } }]);
  }, 20_000);

  it('is taken by one of twenty who all found it good and have their hash ready in the same moment', async () => {
    const { userId } = await actor(nodes[0].dataSource, 'ada');
    const token = randomBytes(32).toString('base64url');
    await nodes[0].dataSource.query(
      `INSERT INTO password_resets (hash, user_id, expires_at) VALUES ($1, $2, now() + interval '1 minute')`,
      [createHash('sha256').update(token).digest(), userId],
    );
    // Hashing lets two through at a time, which would keep the callers apart: here it holds them until all are there.
    let arrived = 0;
    let open = () => undefined as void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    for (const node of nodes) {
      node.app.get(Passwords).hash = async (password) => {
        arrived += 1;
        if (arrived === CALLERS) open();
        await gate;
        return `hash of ${password}`;
      };
    }
    const results = await Promise.allSettled(
      Array.from({ length: CALLERS }, (_, i) =>
        nodes[i % 2]!.app.get(PasswordChangeService).reset(token, `a new long phrase ${i}`, ORIGIN),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refusals = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as object);
    expect(refusals).toHaveLength(CALLERS - 1);
    for (const refusal of refusals) expect(refusal).toMatchObject({ status: 400, code: 'invalid_token' });
  });
});
