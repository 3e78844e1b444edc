import { setTimeout as sleep } from 'node:timers/promises';
import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { ConversationsService } from '../../src/conversations/conversations.service.js';
import { ConversationDeleted } from '../../src/conversations/conversations.events.js';
import { AccountAdministration } from '../../src/operations/accounts/account-administration.service.js';
import { AccountDeletion } from '../../src/operations/accounts/account-deletion.service.js';
import { Tx } from '../../src/platform/database/unit-of-work.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import { PeerService } from '../../src/sessions/peer/peer.service.js';
import { SessionClaimed, SessionDequeued, SessionQueued } from '../../src/sessions/peer/queue.events.js';
import { QueueService } from '../../src/sessions/peer/queue.service.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import { between } from '../support/apart.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';

const ECHO = '01990000-0000-7000-8000-000000000001';

describe('what advocates are told leaves them', () => {
  let services: Services;
  let ada: Actor;
  let adv: Actor;
  let queue: Set<string>;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    const bus = the(EventBus);
    bus.on(SessionQueued, ({ session }) => queue.add(session.id));
    bus.on(SessionClaimed, ({ sessionId }) => queue.delete(sessionId));
    bus.on(SessionDequeued, ({ sessionId }) => queue.delete(sessionId));
  }, 60_000);
  afterAll(() => services.close());
  beforeEach(async () => {
    queue = new Set();
    ada = await actor(services.dataSource, 'ada');
    adv = { ...(await actor(services.dataSource, 'adv')), isAdvocate: true };
    await sql(`UPDATE users SET is_advocate = true WHERE id = $1`, [adv.userId]);
  });

  const the = <T>(type: new (...args: any[]) => T): T => services.app.get(type);
  const sql = (text: string, values: unknown[] = []): Promise<any[]> => services.dataSource.query(text, values);
  const open = async () => (await the(SessionsService).create(ada, { type: 'peer' })).session.id;
  const openWithEcho = async () =>
    (await the(SessionsService).create(ada, { type: 'agent', agentId: ECHO })).session.id;
  const own = (room: string) => the(AccessService).enter(ada, room, 'own');
  const locksAreWaitedFor = async () =>
    (await sql(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`))
      .length > 0;
  const untilWaiting = async (isOver = () => false) => {
    while (!isOver() && !(await locksAreWaitedFor()));
  };

  it('nobody in the queue who deletes their account', async () => {
    const [waiting, claimed] = [await open(), await open()];
    await the(PeerService).claim(adv, claimed);
    expect([...queue]).toEqual([waiting]);
    await the(AccountDeletion).delete(ada);
    expect([...queue]).toEqual([]);
  });

  it('no session to an advocate who claimed it while its owner deleted their account', async () => {
    const id = await open();
    const told: string[] = [];
    the(EventBus).on(ConversationDeleted, ({ conversationId }, { audience }) => {
      if (conversationId === id) told.push(...audience);
    });
    const isClaiming = new Promise<void>((resolve) => {
      between(the(ConversationsService), 'statesWithin', async () => {
        resolve();
        await untilWaiting();
      });
    });
    const claiming = the(PeerService).claim(adv, id);
    await isClaiming;
    await the(AccountDeletion).delete(ada);
    await claiming;
    expect(told).toContain(`user:${adv.userId}`);
    expect([...queue]).toEqual([]);
  }, 20_000);

  it('nothing in the queue that was deleted while its advocate, who had just claimed it, was made an advocate no more', async () => {
    const id = await open();
    const others = services.dataSource.createQueryRunner();
    await others.startTransaction();
    await others.query(`SELECT 1 FROM users WHERE id = $1 FOR SHARE`, [adv.userId]);
    let isOver = false;
    const demoting = the(AccountAdministration)
      .change(adv.userId, { isAdvocate: false })
      .finally(() => (isOver = true));
    await untilWaiting();
    await the(PeerService).claim(adv, id);
    const remove = Tx.prototype.delete;
    Tx.prototype.delete = async function (this: Tx, ...statement) {
      Tx.prototype.delete = remove;
      await others.commitTransaction();
      await others.release();
      await untilWaiting(() => isOver);
      await remove.apply(this, statement);
    };
    await the(SessionsService).delete(await the(AccessService).enter(ada, id, 'own'));
    await demoting;
    expect([...queue]).toEqual([]);
  }, 20_000);

  it.each<[string, (room: string) => Promise<unknown>]>([
    ['released', async (room) => the(PeerService).release(await the(AccessService).enter(adv, room, 'help'))],
    ['left by an advocate', () => the(AccountAdministration).change(adv.userId, { isAdvocate: false })],
    ['opened again', async (room) => the(SessionsService).change(await own(room), { status: 'open' })],
    ['handed to a person', async (room) => the(PeerService).handOff(await own(room), undefined)],
  ])(
    'what was %s at the end of the queue, also where that waited for its room',
    async (what, queueing) => {
      const room = what === 'handed to a person' ? await openWithEcho() : await open();
      if (what === 'opened again') await the(SessionsService).change(await own(room), { status: 'closed' });
      else if (what !== 'handed to a person') await the(PeerService).claim(adv, room);
      const others = services.dataSource.createQueryRunner();
      await others.startTransaction();
      await others.query(`SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE`, [room]);
      const done = queueing(room);
      await untilWaiting();
      await sleep(5);
      const earlier = await open();
      const [{ now }] = await sql(`SELECT clock_timestamp()::timestamptz(3) AS now`);
      await sleep(5);
      await others.commitTransaction();
      await others.release();
      await done;
      const { items } = await the(QueueService).list({ ...adv, isAdvocate: true }, { limit: 100 });
      const ids = items.map(({ id }) => id);
      expect(ids.slice(-2)).toEqual([earlier, room]);
      expect(await sql(`SELECT 1 FROM sessions WHERE id = $1 AND updated_at > $2`, [room, now])).toHaveLength(1);
    },
    20_000,
  );
});
