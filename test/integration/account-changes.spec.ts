import { hash } from 'bcrypt';
import { AuthService } from '../../src/auth/auth.service.js';
import { CredentialsController } from '../../src/auth/credentials.controller.js';
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
});
