import pg from 'pg';
import { administrator, type Person, person } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { delta, Upstream, usage } from '../support/upstream.js';

const ECHO = '01990000-0000-7000-8000-000000000001';

describe('agents that answer from elsewhere', () => {
  let database: TestDatabase;
  let app: RunningApp;
  let upstream: Upstream;
  let sql: pg.Client;
  let root: Person;
  let ada: Person;

  beforeAll(async () => {
    database = await createTestDatabase();
    upstream = await Upstream.start();
    const env = { DATABASE_URL: database.url, RATE_LIMIT: 'off', OUTBOUND_ALLOWED_HOSTS: new URL(upstream.url).host };
    app = await runApp(env);
    sql = new pg.Client({ connectionString: database.url });
    await sql.connect();
    root = await administrator(app.url, env);
    ada = await person(app.url, 'ada');
  }, 60_000);

  afterAll(async () => {
    await sql.end();
    await app.stop();
    await upstream.stop();
    await database.drop();
  }, 60_000);

  let count = 0;
  const sessionWith = async (agent: object, owner = ada): Promise<string> => {
    const made = await root.post('/agents', {
      slug: `agent-${(count += 1)}`,
      name: 'Agent',
      url: upstream.url,
      ...agent,
    });
    return (await owner.put(`/sessions/by-agent/${made.body.id}`)).body.id;
  };
  const answerTo = async (question: string, session: string, asker = ada): Promise<any> => {
    const socket = await asker.socket();
    await asker.say(session, question);
    const { message } = await socket.next(
      (frame) => frame.conversationId === session && frame.message?.role === 'agent' && !frame.message.deletedAt,
    );
    socket.close();
    return message;
  };
  const failureOf = async (session: string): Promise<string> => {
    const socket = await ada.socket();
    await ada.say(session, 'Where is Dante?');
    const { conversation } = await socket.next(
      (frame) => frame.conversation?.id === session && frame.conversation.reply?.status === 'failed',
    );
    socket.close();
    const { items } = (await ada.get(`/conversations/${session}/messages`)).body;
    expect(items.at(-1)).toMatchObject({ role: 'user', content: 'Where is Dante?' });
    expect((await ada.get(`/sessions/${session}`)).body.reply).toMatchObject(conversation.reply);
    return conversation.reply.error;
  };

  it('answer by a webhook', async () => {
    upstream.says([{ output: 'In Hell.' }]);
    const session = await sessionWith({ kind: 'webhook' });
    expect(await answerTo('Where is Dante?', session)).toMatchObject({ content: 'In Hell.', tokensUsed: 0 });
    expect(upstream.received[0]?.body).toMatchObject({
      chatInput: 'Where is Dante?',
      userId: ada.id,
      sessionId: session,
    });
  });

  it('answer by a model, piece by piece, with the key of whoever asks', async () => {
    upstream.streams([delta('In '), delta('Purgatory.'), delta(null, 'stop'), usage(31)]);
    const session = await sessionWith({ kind: 'openai', model: 'test-1' });
    await ada.post('/users/me/credentials', { provider: 'openai', label: 'mine', key: 'sk-of-ada-0123456789' });
    expect(await answerTo('Where is Dante?', session)).toMatchObject({ content: 'In Purgatory.', tokensUsed: 31 });
    expect(upstream.received[0]?.headers.authorization).toBe('Bearer sk-of-ada-0123456789');
    expect(app.output()).not.toContain('sk-of-ada');
  });

  it('fail with a word that says why, and the question stays', async () => {
    const webhook = await sessionWith({ kind: 'webhook' });
    upstream.says('no such workflow', 404);
    expect(await failureOf(webhook)).toBe('refused');
    upstream.says({ nothing: 'known' });
    expect(await failureOf(webhook)).toBe('unreadable');
    const model = await sessionWith({ kind: 'openai', model: 'test-1', provider: 'elsewhere' });
    expect(await failureOf(model)).toBe('no_credential');
    const closed = await sessionWith({ kind: 'webhook', url: 'http://agent.example/' });
    await sql.query(`UPDATE agents SET url = 'http://127.0.0.1:1/' WHERE url = 'http://agent.example/'`);
    expect(await failureOf(closed)).toBe('address_refused');
  });

  describe('what they have cost', () => {
    let asker: Person;
    let session: string;
    const usageOf = async (who: Person, query = ''): Promise<any> => (await who.get(`/users/me/usage${query}`)).body;

    beforeAll(async () => {
      asker = await person(app.url, 'asker');
      session = await sessionWith({ kind: 'openai', model: 'test-1', apiKey: 'k', name: 'Model' }, asker);
      upstream.streams([delta('Yes.'), delta(null, 'stop'), usage(100)]);
      await answerTo('First?', session, asker);
      await answerTo('Echo?', (await asker.put(`/sessions/by-agent/${ECHO}`)).body.id, asker);
      upstream.streams([delta('No.'), delta(null, 'stop'), usage(20)]);
      const socket = await asker.socket();
      await asker.post(`/sessions/${session}/reply`);
      await socket.next((frame) => frame.message?.content === 'No.');
      socket.close();
    }, 60_000);

    it('is summed by month and agent, what was said again included, and shown to nobody else', async () => {
      const { items, nextCursor } = await usageOf(asker);
      const month = new Date().toISOString().slice(0, 7);
      expect(nextCursor).toBeNull();
      expect(items).toHaveLength(2);
      expect(items).toContainEqual({
        month,
        agent: expect.objectContaining({ name: 'Model' }),
        replies: 2,
        tokensUsed: 120,
      });
      expect(items).toContainEqual({ month, agent: expect.objectContaining({ id: ECHO }), replies: 1, tokensUsed: 0 });
      expect((await usageOf(ada)).items.map((item: any) => item.agent.name)).not.toContain('Model');
      expect((await usageOf(root)).items).toEqual([]);
    });

    it('stays when the session goes, and is paged by month', async () => {
      const before = await usageOf(asker);
      await asker.delete(`/sessions/${session}`);
      expect(await usageOf(asker)).toEqual(before);
      await sql.query(
        `UPDATE token_usage SET created_at = '2025-12-31T23:59:59.999Z' WHERE user_id = $1 AND agent_id = $2`,
        [asker.id, ECHO],
      );
      const first = await usageOf(asker, '?limit=1');
      const second = await usageOf(asker, `?limit=1&cursor=${first.nextCursor}`);
      expect([first.items[0].agent.name, second.items[0].month, second.nextCursor]).toEqual(['Model', '2025-12', null]);
      expect((await usageOf(asker, '?month=2025-12')).items).toEqual(second.items);
      expect((await usageOf(asker, '?month=2026-01')).items).toEqual([]);
      const madeUp = Buffer.from(JSON.stringify(['2025-99', asker.id])).toString('base64url');
      for (const wrong of ['?month=2025-13', '?month=then', `?cursor=${madeUp}`]) {
        expect((await asker.get(`/users/me/usage${wrong}`)).status).toBe(400);
      }
    });

    it('is shown to administrators by agent', async () => {
      const agent = (await usageOf(asker)).items[0].agent.id;
      const month = new Date().toISOString().slice(0, 7);
      const { items } = (await root.get(`/agents/${agent}/usage`)).body;
      expect(items).toEqual([{ month, people: 1, replies: 2, tokensUsed: 120 }]);
      expect((await asker.get(`/agents/${agent}/usage`)).status).toBe(404);
    });
  });
});
