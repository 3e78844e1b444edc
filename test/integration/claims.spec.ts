import type { Actor } from '../../src/auth/actor.js';
import { PeerService } from '../../src/sessions/peer/peer.service.js';
import { QueueService } from '../../src/sessions/peer/queue.service.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import { AccessService } from '../../src/access/access.service.js';
import { actor, type Services, twoNodes } from '../support/services.js';

describe('claims', () => {
  let nodes: [Services, Services];
  let close: () => Promise<void>;
  let ada: Actor;
  let advocates: Actor[];

  beforeAll(async () => {
    ({ nodes, close } = await twoNodes());
    const [{ dataSource }] = nodes;
    ada = await actor(dataSource, 'ada');
    advocates = await Promise.all(Array.from({ length: 20 }, (_, i) => actor(dataSource, `advocate${i}`)));
    await dataSource.query(`UPDATE users SET is_advocate = true WHERE username LIKE 'advocate%'`);
    advocates = advocates.map((each) => ({ ...each, isAdvocate: true }));
  }, 60_000);
  afterAll(() => close());

  const peerOf = (i: number) => (nodes[i % 2] as Services).app.get(PeerService);
  const open = async () => (await nodes[0].app.get(SessionsService).create(ada, { type: 'peer' })).session.id;
  const advocateOf = async (id: string): Promise<string | null> =>
    (await nodes[0].dataSource.query(`SELECT advocate_id FROM sessions WHERE id = $1`, [id]))[0].advocate_id;

  it('of twenty at once one gets it, five times over', async () => {
    for (let round = 0; round < 5; round += 1) {
      const id = await open();
      const results = await Promise.allSettled(advocates.map((each, i) => peerOf(i).claim(each, id)));
      const winners = advocates.filter((_, i) => results[i]?.status === 'fulfilled');
      expect(winners.map(({ userId }) => userId)).toEqual([await advocateOf(id)]);
      const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      expect(refusals.map(({ status, code }) => [status, code])).toEqual(refusals.map(() => [409, 'already_claimed']));
    }
  }, 60_000);

  it('of an advocate who releases and transfers in one moment one is done, on whichever node', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await open();
      const [bob, cleo] = advocates as [Actor, Actor];
      await peerOf(round).claim(bob, id);
      const pass = await nodes[0].app.get(AccessService).enter(bob, id, 'help', 'session');
      const results = await Promise.allSettled([peerOf(0).release(pass), peerOf(1).transfer(pass, cleo.userId)]);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await advocateOf(id)).toBe(results[0].status === 'fulfilled' ? null : cleo.userId);
    }
  }, 60_000);

  it('pages through a long queue, oldest first, each session once', async () => {
    for (let i = 0; i < 25; i += 1) await open();
    const queue = nodes[0].app.get(QueueService);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await queue.list(advocates[0] as Actor, { limit: 10, ...(cursor ? { cursor } : {}) });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    const expected = await nodes[0].dataSource.query(
      `SELECT id FROM sessions WHERE type = 'peer' AND status = 'open' AND advocate_id IS NULL ORDER BY queued_at, id`,
    );
    expect(seen).toEqual(expected.map(({ id }: { id: string }) => id));
    expect(seen.length).toBeGreaterThanOrEqual(25);
  });
});
