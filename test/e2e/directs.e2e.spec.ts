import { Client } from 'pg';
import { Person, person } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const NOBODY = '01990000-0000-7000-8000-00000000dead';

describe('a direct conversation', () => {
  let database: TestDatabase;
  let nodes: [RunningApp, RunningApp];
  let ada: Person;
  let bob: Person;
  let carol: Person;
  let mallory: Person;

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, RATE_LIMIT: 'off', SECRET_KEY: 'k9Jw2LqZ8vXr4TnB7mYcP3sHdF6gA1eU0oRiW5' };
    nodes = await Promise.all([runApp(env), runApp(env)]);
  }, 60_000);
  beforeEach(async () => {
    [ada, bob, carol, mallory] = (await Promise.all(
      ['ada', 'bob', 'carol', 'mallory'].map((name) => person(nodes[0].url, name)),
    )) as [Person, Person, Person, Person];
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await database.drop();
  }, 60_000);

  const at = (node: number, { name, password, id, token }: Person) =>
    new Person(nodes[node]!.url, name, password, id, token);

  it('is one for the same set of people, from whichever side and however many ask at once', async () => {
    const calls = Array.from({ length: 24 }, (_, i) => {
      const who = at(i % 2, [ada, bob, carol][i % 3] as Person);
      return who.post('/directs', { userIds: [carol.id, ada.id, bob.id] });
    });
    const answers = await Promise.all(calls);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers[0]?.body.participants.map(({ id }: Person) => id)).toEqual([ada.id, bob.id, carol.id].sort());
    const pair = (await ada.post('/directs', { userIds: [bob.id.toUpperCase(), bob.id, ada.id] })).body;
    expect(pair.id).not.toBe(answers[0]?.body.id);
    expect((await bob.post('/directs', { userIds: [ada.id] })).body.id).toBe(pair.id);
    expect((await ada.get('/directs')).body.items.map(({ id }: Person) => id)).toEqual([pair.id, answers[0]?.body.id]);
  });

  it('is heard of, spoken in and read by its people and by nobody else', async () => {
    const ears = await bob.socket();
    const { id } = (await ada.post('/directs', { userIds: [bob.id] })).body;
    const { conversation } = await ears.next('conversation.created');
    expect(conversation).toMatchObject({ id, kind: 'direct', title: ada.name, serverId: null, rev: 0 });
    const { id: messageId } = await ada.say(id, 'between us');
    await ears.next(({ message }) => message?.id === messageId);
    expect((await bob.get('/conversations')).body.items).toMatchObject([
      { id, kind: 'direct', title: ada.name, unread: 1 },
    ]);
    expect((await bob.get(`/conversations/${id}`)).body).toMatchObject({ id, unread: 1 });
    const read = await ada.socket();
    await bob.put(`/conversations/${id}/read`, { seq: 1 });
    expect(await read.next('read')).toMatchObject({ conversationId: id, userId: bob.id, seq: 1 });
    expect((await bob.patch(`/conversations/${id}/messages/${messageId}`, { content: 'x' })).status).toBe(403);
    expect((await bob.delete(`/conversations/${id}/messages/${messageId}`)).status).toBe(403);
    expect((await bob.delete(`/conversations/${id}/messages`)).status).toBeGreaterThanOrEqual(403);
    const strange = await mallory.socket();
    expect(await strange.ask({ type: 'message.send', conversationId: id, content: 'me too' })).toMatchObject({
      type: 'error',
      code: 'not_found',
    });
    expect(await strange.ask({ type: 'sync', conversationId: id, afterRev: 0 })).toMatchObject({ type: 'error' });
    expect((await mallory.get(`/conversations/${id}/messages`)).status).toBe(404);
    for (const socket of [ears, read, strange]) socket.close();
  });

  it('has two to ten people, all of whom exist', async () => {
    const refused = async (userIds: string[]) => (await ada.post('/directs', { userIds })).body.errors;
    expect(await refused([])).toMatchObject([{ path: 'userIds' }]);
    expect(await refused([ada.id])).toMatchObject([{ path: 'userIds' }]);
    expect(await refused([bob.id, NOBODY])).toMatchObject([{ path: 'userIds' }]);
    const crowd = Array.from({ length: 10 }, (_, i) => NOBODY.replace(/d$/, i.toString(16)));
    expect(await refused(crowd)).toMatchObject([{ path: 'userIds' }]);
    expect((await ada.get('/directs')).body.items).toEqual([]);
  });

  it('goes on for the others when somebody deletes their account, and goes with the last', async () => {
    const { id } = (await ada.post('/directs', { userIds: [bob.id] })).body;
    await bob.say(id, 'I was here');
    const exported = await bob.get('/users/me/export');
    expect(exported.body).toContain('"type":"direct"');
    expect((await bob.delete('/users/me')).status).toBe(204);
    expect((await ada.get(`/conversations/${id}/messages`)).body.items).toMatchObject([
      { content: 'I was here', author: { username: 'deleted-user' } },
    ]);
    expect((await ada.get('/directs')).body.items).toMatchObject([{ id, participants: [{ id: ada.id }] }]);
    expect((await ada.delete('/users/me')).status).toBe(204);
    const sql = new Client({ connectionString: database.url });
    await sql.connect();
    expect((await sql.query(`SELECT 1 FROM conversations WHERE id = $1`, [id])).rows).toEqual([]);
    await sql.end();
  });
});
