import type { Actor } from '../../src/auth/actor.js';
import { heard, TwoNodesApart } from '../support/two-nodes-apart.js';

describe('an advocate who comes back to a session', () => {
  const two = TwoNodesApart.forThese();
  const { socketOf, enter, session, peers, advocate, readAll } = two;
  let adv: Actor;
  let id: string;
  let thread: string;

  beforeEach(async () => {
    adv = await advocate();
    id = await session();
    await peers().claim(adv, id);
    thread = await two.thread({ id, who: adv });
    await peers().release(await enter(adv, id));
  });

  const told = ['conversation.created'];

  it('is told of the threads there that are theirs', async () => {
    const socket = await socketOf(adv);
    await peers(two.here).claim(adv, id);
    expect([await heard(socket, id, told), await heard(socket, thread, told)]).toEqual([told, told]);
  });

  it('is told of the threads there that are theirs, where another node let them in and could not say so', async () => {
    const socket = await socketOf(adv);
    await peers(two.here).claim(adv, id);
    await peers(two.here).release(await enter(adv, id, two.here));
    await heard(socket, id, [...told, 'conversation.deleted']);
    await peers().claim(adv, id);
    readAll();
    const again = [...told, 'conversation.deleted', ...told];
    expect([await heard(socket, id, again), await heard(socket, thread, [...told, ...told])]).toEqual([
      again,
      [...told, ...told],
    ]);
  });
});
