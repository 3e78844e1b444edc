import { setTimeout as pause } from 'node:timers/promises';
import { Secret, TOTP } from 'otpauth';
import type { QueryRunner } from 'typeorm';
import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { Actors } from '../../src/auth/actors.js';
import { AuthService } from '../../src/auth/auth.service.js';
import { CredentialsController } from '../../src/auth/credentials.controller.js';
import { LoginsService } from '../../src/auth/logins/logins.service.js';
import { SecondFactorService } from '../../src/auth/second-factor/second-factor.service.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { ReactionsService } from '../../src/messages/reactions/reactions.service.js';
import { AccountAdministration } from '../../src/operations/accounts/account-administration.service.js';
import { AccountDeletion } from '../../src/operations/accounts/account-deletion.service.js';
import { AuditLogController } from '../../src/servers/audit/audit-log.controller.js';
import { SecretBox } from '../../src/platform/secrets/secret-box.js';
import { BansService } from '../../src/servers/bans/bans.service.js';
import { MembershipsService } from '../../src/servers/memberships/memberships.service.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import { between } from '../support/apart.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';

const ORIGIN = { device: null, address: null };

describe('whoever deletes their account', () => {
  let services: Services;
  let root: Actor;
  let bob: Actor;
  let holder: QueryRunner;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    root = await actor(services.dataSource, 'root');
    bob = await actor(services.dataSource, 'bob');
    await sql(`UPDATE users SET is_admin = true WHERE id = $1`, [root.userId]);
    holder = services.dataSource.createQueryRunner();
  }, 60_000);
  afterAll(async () => {
    await holder.release();
    await services.close();
  });

  const the = <T>(type: new (...args: any[]) => T): T => services.app.get(type);
  const sql = (text: string, values: unknown[] = []): Promise<any[]> => services.dataSource.query(text, values);
  const newRoom = async (who: Actor) => (await the(ServersService).create(who, 'A server', undefined)).channels[0]!.id;
  const say = async (who: Actor, room: string, content: string) =>
    the(MessagesService).append(await the(AccessService).enter(who, room, 'write'), { content });
  const untilWaiting = async (count = 1) => {
    while (
      (await sql(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`))
        .length < count
    );
  };

  it('keeps no administrator from writing and signing in, however long it takes', async () => {
    const [theirs, ours] = [await newRoom(bob), await newRoom(root)];
    await holder.startTransaction();
    await holder.query(`SELECT 1 FROM channels WHERE id = $1 FOR UPDATE`, [theirs]);
    const deleting = the(AccountDeletion).delete(bob);
    try {
      await untilWaiting();
      expect((await say(root, ours, 'hello')).created).toBe(true);
      expect(await sql(`SELECT id FROM users WHERE id = $1 FOR UPDATE NOWAIT`, [root.userId])).toHaveLength(1);
    } finally {
      await holder.rollbackTransaction();
      await deleting;
    }
    expect(await sql(`SELECT 1 FROM users WHERE id = $1`, [bob.userId])).toEqual([]);
  }, 20_000);

  it('is told to sign in where a send of theirs comes to the database after they are gone', async () => {
    const gone = await actor(services.dataSource, 'gone');
    const room = await newRoom(root);
    await sql(
      `INSERT INTO memberships (server_id, user_id, role) SELECT server_id, $2, 'MEMBER' FROM channels WHERE id = $1`,
      [room, gone.userId],
    );
    const writer = await the(AccessService).enter(gone, room, 'write');
    await the(AccountDeletion).delete(gone);
    const sends = await Promise.allSettled([
      the(MessagesService).append(writer, { content: 'too late' }),
      say(root, room, 'in time'),
    ]);
    expect(sends).toMatchObject([{ reason: { status: 401, code: 'unauthorized' } }, { value: { created: true } }]);
  });

  it('is told to sign in where a session that they open comes to the database after they are gone', async () => {
    const gone = await actor(services.dataSource, 'gone');
    await the(AccountDeletion).delete(gone);
    for (const more of [{}, { externalId: 'mine' }]) {
      await expect(the(SessionsService).create(gone, { type: 'peer', ...more })).rejects.toMatchObject({
        status: 401,
        code: 'unauthorized',
      });
    }
  });

  it('waits for what is being said in a server of theirs alone, and takes it away then', async () => {
    const alone = await actor(services.dataSource, 'alone');
    const room = await newRoom(alone);
    await holder.startTransaction();
    await holder.query(`SELECT 1 FROM conversations WHERE id = $1 FOR NO KEY UPDATE`, [room]);
    const deleting = the(AccountDeletion).delete(alone);
    const deleted = Promise.allSettled([deleting]);
    try {
      await untilWaiting();
      // As the foreign key of a message does.
      await holder.query(`SELECT 1 FROM users WHERE id = $1 FOR KEY SHARE NOWAIT`, [alone.userId]);
    } finally {
      await holder.rollbackTransaction();
      await deleted;
    }
    await deleting;
    expect(await sql(`SELECT 1 FROM conversations WHERE id = $1`, [room])).toEqual([]);
  }, 20_000);

  it('passes a server on to somebody who can run it, and to nobody who is switched off', async () => {
    const [founder, off, member] = [
      await actor(services.dataSource, 'founder'),
      await actor(services.dataSource, 'off'),
      await actor(services.dataSource, 'member'),
    ];
    const { id } = await the(ServersService).create(founder, 'A server', undefined);
    await the(MembershipsService).add(founder, id, off.userId, 'MODERATOR');
    await the(MembershipsService).add(founder, id, member.userId, 'MEMBER');
    await the(AccountAdministration).change(off.userId, { disabled: true });
    await the(AccountDeletion).delete(founder);
    const roles = await sql(`SELECT user_id AS id, role FROM memberships WHERE server_id = $1 ORDER BY joined_at`, [
      id,
    ]);
    expect(roles).toEqual([
      { id: off.userId, role: 'MODERATOR' },
      { id: member.userId, role: 'ADMIN' },
    ]);
  });

  it('says in the audit log of a server whom it was passed on to', async () => {
    const [founder, heir] = [await actor(services.dataSource, 'founder'), await actor(services.dataSource, 'heir')];
    const { id } = await the(ServersService).create(founder, 'A server', undefined);
    await the(MembershipsService).add(founder, id, heir.userId, 'MODERATOR');
    await the(AccountDeletion).delete(founder);
    const { items } = await the(AuditLogController).list(heir, id, { limit: 50 });
    const details = { before: 'MODERATOR', role: 'ADMIN' };
    expect(items).toMatchObject([
      { action: 'member.role_changed', actor: null, targetId: heir.userId, details },
      { action: 'member.added', actor: null, targetId: heir.userId },
    ]);
  });

  it('neither fails nor makes others fail who act on them in a server at that moment', async () => {
    const [ada, leaver] = [await actor(services.dataSource, 'ada'), await actor(services.dataSource, 'leaver')];
    const { id } = await the(ServersService).create(ada, 'A server', undefined);
    await the(MembershipsService).add(ada, id, leaver.userId, 'MEMBER');
    const isBanning = new Promise<void>((resolve) => {
      between(the(MembershipsService), 'takeOut', async () => {
        resolve();
        await untilWaiting();
      });
    });
    const banning = the(BansService).ban(ada, id, leaver.userId, undefined);
    await isBanning;
    const done = await Promise.allSettled([the(AccountDeletion).delete(leaver), banning]);
    expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(await sql(`SELECT 1 FROM users WHERE id = $1`, [leaver.userId])).toEqual([]);
  }, 20_000);

  it('neither fails nor makes an edit fail that mentions them again', async () => {
    const [ada, leaver] = [await actor(services.dataSource, 'ada'), await actor(services.dataSource, 'leaver')];
    const { id, channels } = await the(ServersService).create(ada, 'A server', undefined);
    const room = channels[0]!.id;
    await the(MembershipsService).add(ada, id, leaver.userId, 'MEMBER');
    const { message } = await say(ada, room, `@${leaver.profile.username}`);
    const writer = await the(AccessService).enter(ada, room, 'write');
    await holder.startTransaction();
    await holder.query(`SELECT 1 FROM logins WHERE user_id = $1 FOR UPDATE`, [leaver.userId]);
    const deleting = the(AccountDeletion).delete(leaver);
    await untilWaiting();
    const editing = the(MessagesService).edit(writer, message.id, `@${leaver.profile.username}, farewell`);
    const done = Promise.allSettled([deleting, editing]);
    await untilWaiting(2);
    await holder.rollbackTransaction();
    expect((await done).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(await sql(`SELECT 1 FROM mentions WHERE conversation_id = $1`, [room])).toEqual([]);
  }, 20_000);

  it('neither fails nor makes a moderator fail who deletes what they said and reacted to', async () => {
    const [ada, leaver] = [await actor(services.dataSource, 'ada'), await actor(services.dataSource, 'leaver')];
    const { id, channels } = await the(ServersService).create(ada, 'A server', undefined);
    const room = channels[0]!.id;
    await the(MembershipsService).add(ada, id, leaver.userId, 'MEMBER');
    const writer = await the(AccessService).enter(leaver, room, 'write');
    const [first, message] = [await say(leaver, room, 'first'), await say(leaver, room, 'second')].map(
      (said) => said.message,
    );
    for (const said of [first, message]) await the(ReactionsService).add(writer, said!.id, '👍');
    const moderator = await the(AccessService).enter(ada, room, 'moderate');
    await holder.startTransaction();
    await holder.query(`SELECT 1 FROM reactions WHERE message_id = $1 FOR UPDATE`, [first!.id]);
    const deleting = the(AccountDeletion).delete(leaver);
    await untilWaiting();
    const done = Promise.allSettled([deleting, the(MessagesService).delete(moderator, message!.id)]);
    await untilWaiting(2);
    await holder.rollbackTransaction();
    expect((await done).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  }, 20_000);

  it.each(['signs out', 'forgets a key', 'comes with a used refresh token', 'confirms a second factor'])(
    'is not kept from it by who %s for them meanwhile',
    async (what) => {
      const { user, refreshToken } = await the(AuthService).guest({}, ORIGIN);
      const [{ id }] = await sql(`SELECT id FROM logins WHERE user_id = $1`, [user.id]);
      const leaver = (await the(Actors).find(id)) as Actor;
      const room = await newRoom(leaver);
      const body = { provider: 'openai', label: 'work', key: 'sk-0123456789' };
      const key = await the(CredentialsController).add(leaver, body, ORIGIN);
      await the(LoginsService).refresh(refreshToken, ORIGIN);
      const secret = new Secret({ size: 20 });
      const { keyId, sealed } = the(SecretBox).seal(secret.base32, `second-factor:${user.id}`);
      await sql(`INSERT INTO second_factors (user_id, key_id, sealed) VALUES ($1, $2, $3)`, [user.id, keyId, sealed]);
      const acts: Record<string, () => Promise<unknown>> = {
        'signs out': () => the(LoginsService).endOne(leaver, id, ORIGIN),
        'forgets a key': () => the(CredentialsController).remove(leaver, key.id, ORIGIN),
        'comes with a used refresh token': () => the(LoginsService).refresh(refreshToken, ORIGIN),
        'confirms a second factor': () =>
          the(SecondFactorService).confirm(leaver, new TOTP({ secret }).generate(), ORIGIN),
      };
      await holder.startTransaction();
      await holder.query(`SELECT 1 FROM channels WHERE id = $1 FOR UPDATE`, [room]);
      const deleting = Promise.allSettled([the(AccountDeletion).delete(leaver)]);
      await untilWaiting(1);
      const act = Promise.allSettled([acts[what]!()]);
      await untilWaiting(2);
      // Longer than PostgreSQL waits before it looks for a circle: who comes into one last is the one to fail.
      await pause(1_500);
      await holder.rollbackTransaction();
      expect(await deleting).toMatchObject([{ status: 'fulfilled' }]);
      expect(await act).toMatchObject([{ reason: { status: 401 } }]);
    },
    20_000,
  );
});
