import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { InboxService } from '../../src/messages/inbox.service.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';

const SECRET = 'my secret is 4711';

describe('the title that a session has from its first message', () => {
  let services: Services;
  let ada: Actor;
  let room: string;
  let first: string;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    ada = await actor(services.dataSource, 'ada');
  }, 60_000);
  afterAll(() => services.close());

  const messages = () => services.app.get(MessagesService);
  const enter = <A extends 'write' | 'read' | 'moderate' | 'clear' | 'own'>(action: A) =>
    services.app.get(AccessService).enter(ada, room, action);
  const titles = async () => {
    const pass = await enter('read');
    const [session, item] = [
      await services.app.get(SessionsService).read(pass),
      await services.app.get(InboxService).one(pass),
    ];
    return [session.title, item.title];
  };

  beforeEach(async () => {
    room = (await services.app.get(SessionsService).create(ada, { type: 'peer' })).session.id;
    first = (await messages().append(await enter('write'), { content: SECRET })).message.id;
    expect(await titles()).toEqual([SECRET, SECRET]);
  });

  it('goes with the message', async () => {
    await messages().delete(await enter('moderate'), first);
    expect(await titles()).toEqual([null, null]);
  });

  it('goes with everything that was said', async () => {
    await messages().clear(await enter('clear'));
    expect(await titles()).toEqual([null, null]);
  });

  it('says what the message says since an edit', async () => {
    await messages().edit(await enter('write'), first, 'hello');
    expect(await titles()).toEqual(['hello', 'hello']);
  });

  it('goes with a message that said it before an edit', async () => {
    await services.dataSource.query(`UPDATE messages SET content = 'hello' WHERE id = $1`, [first]);
    await services.dataSource.query(
      `INSERT INTO message_revisions (conversation_id, message_id, rev, content, created_at) VALUES ($1, $2, 1, $3, now())`,
      [room, first, SECRET],
    );
    await messages().delete(await enter('moderate'), first);
    expect(await titles()).toEqual([null, null]);
  });

  it('stays where somebody chose another one', async () => {
    await services.app.get(SessionsService).change(await enter('own'), { title: 'Numbers' });
    await messages().delete(await enter('moderate'), first);
    expect(await titles()).toEqual(['Numbers', 'Numbers']);
  });
});
