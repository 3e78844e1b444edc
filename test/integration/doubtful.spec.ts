import { setTimeout as sleep } from 'node:timers/promises';
import { AccessService } from '../../src/access/access.service.js';
import { ChannelsService } from '../../src/servers/channels/channels.service.js';
import { type Services } from '../support/services.js';
import { jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { heard, TwoNodesApart } from '../support/two-nodes-apart.js';

describe('what nobody knows the outcome of', () => {
  const two = TwoNodesApart.forThese();
  const { socketOf, enter, add, channel, session, peers, advocate } = two;

  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** The next transaction of this node commits `later`, and the database goes away before it says so. */
  const answerLost = (node: Services, later = 0) => {
    const source = node.app.get(DataSource);
    const create = source.createQueryRunner.bind(source);
    jest.spyOn(source, 'createQueryRunner').mockImplementationOnce(() => {
      const runner = create();
      const commit = runner.commitTransaction.bind(runner);
      const release = runner.release.bind(runner);
      let committed: Promise<void> | undefined;
      runner.commitTransaction = async () => {
        committed = sleep(later).then(commit);
        if (later === 0) await committed;
        throw new Error('Connection terminated unexpectedly');
      };
      runner.rollbackTransaction = () => Promise.resolve();
      runner.release = () => (committed ?? Promise.resolve()).then(release);
      return runner;
    });
  };

  it('as joining a server is told, though nobody knows whether it was committed', async () => {
    await socketOf(two.ada);
    const socket = await socketOf(two.bob);
    answerLost(two.here);
    void add(two.bob).catch(() => undefined);
    const told = ['conversation.created'];
    expect(await heard(socket, two.room, told)).toEqual(told);
  });

  it('as joining a server is told, though it was committed after its answer was waited for', async () => {
    await socketOf(two.ada);
    const socket = await socketOf(two.bob);
    answerLost(two.here, 700);
    void add(two.bob).catch(() => undefined);
    const told = ['conversation.created'];
    expect(await heard(socket, two.room, told)).toEqual(told);
  });

  it('as leaving a session is told, though nobody knows whether it was committed', async () => {
    const adv = await advocate();
    const id = await session();
    await peers(two.here).claim(adv, id);
    await socketOf(two.ada);
    const socket = await socketOf(adv);
    const pass = await enter(adv, id, two.here);
    answerLost(two.here);
    await peers(two.here)
      .release(pass)
      .catch(() => undefined);
    const told = ['conversation.deleted'];
    expect(await heard(socket, id, told)).toEqual(told);
  });

  it('as the end of a channel is told, though nobody knows whether it was committed', async () => {
    const { id } = await channel(two.here);
    const socket = await socketOf(two.ada);
    const pass = await two.here.app.get(AccessService).enter(two.ada, id, 'moderate');
    answerLost(two.here);
    await two.here.app
      .get(ChannelsService)
      .delete(pass)
      .catch(() => undefined);
    const told = ['conversation.deleted'];
    expect(await heard(socket, id, told)).toEqual(told);
  });
});
