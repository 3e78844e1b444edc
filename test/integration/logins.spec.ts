import { jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Actors } from '../../src/auth/actors.js';
import { Database } from '../../src/platform/database/database.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';

describe('a login', () => {
  let services: Services;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
  }, 60_000);
  afterAll(() => services.close());

  it('that ended unheard of is not believed because of what the database was asked long before, and answers late', async () => {
    const { loginId } = await actor(services.dataSource, 'ada');
    const database = services.app.get(Database);
    const prepared = database.prepared.bind(database);
    jest.spyOn(database, 'prepared').mockImplementationOnce(async (...asked) => {
      const answer = await prepared(...asked);
      await sleep(1_500);
      return answer;
    });
    const actors = services.app.get(Actors);
    const early = actors.find(loginId);
    await sleep(1_000);
    await services.dataSource.query(`UPDATE logins SET ended_at = now() WHERE id = $1`, [loginId]);
    expect(await actors.find(loginId)).toBeUndefined();
    expect(await early).toMatchObject({ loginId });
    expect(await actors.find(loginId)).toBeUndefined();
  });
});
