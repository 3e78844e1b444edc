import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { EventStream } from '../support/event-stream.js';
import { Model } from '../support/model.js';
import { administrator, Person, person, signedInAgain } from '../support/people.js';
import { runApp, runCommand, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** Nodes of one database and nothing else between them, that are killed, hang, and are shut down. */
describe('replies under way', () => {
  let database: TestDatabase;
  let env: Record<string, string>;
  let sql: pg.Client;
  let model: Model;
  let node: RunningApp;
  let other: RunningApp | undefined;
  let ada: Person;
  let agentId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    model = await Model.start();
    env = {
      DATABASE_URL: database.url,
      RATE_LIMIT: 'off',
      OUTBOUND_ALLOWED_HOSTS: '127.0.0.1',
      SECRET_KEY: 'one secret of both nodes, thirty-two letters',
      ENCRYPTION_KEY: 'one other of both nodes, thirty-two letters',
    };
    node = await runApp(env);
    sql = new pg.Client({ connectionString: database.url });
    await sql.connect();
    const root = await administrator(node.url, env);
    ada = await person(node.url, 'ada');
    const agent = { slug: 'model', name: 'Model', kind: 'openai', model: 'm', url: model.upstream.url, apiKey: 'k' };
    agentId = (await root.post('/agents', agent)).body.id;
  }, 60_000);

  afterAll(async () => {
    await node.stop();
    await other?.stop();
    await sql.end();
    await model.stop();
    await database.drop();
  }, 60_000);

  const newSession = async (): Promise<string> => (await ada.post('/sessions', { type: 'agent', agentId })).body.id;
  const at = ({ url }: RunningApp) => signedInAgain(ada, url);
  const said = async (id: string): Promise<string[]> =>
    (await ada.get(`/conversations/${id}/messages`)).body.items.map(
      ({ role, content }: { role: string; content: string }) => `${role}: ${content}`,
    );
  const follow = (who: Person, id: string) => EventStream.open(who, 'GET', `/sessions/${id}/reply`);

  it('are, after the app was killed and started again, complete once or marked failed, and no message is missing', async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => newSession()));
    const socket = await ada.socket();
    await Promise.all(ids.map((id) => ada.say(id, `Hello from ${id}`)));
    for (let i = 0; i < ids.length; i += 1) (await model.next()).say('Half of an answer');
    await Promise.all(
      ids.map((id) => socket.next(({ type, conversationId }) => type === 'message.delta' && conversationId === id)),
    );
    await node.kill('SIGKILL');
    const unfinished = await sql.query(`SELECT 1 FROM replies WHERE status = 'running'`);
    expect(unfinished.rowCount).toBe(10);
    node = await runApp(env);
    ada = await at(node);
    const ends: string[] = [];
    for (let i = 0; i < ids.length; i += 1) {
      const call = await model.next();
      if (i % 2 === 0) call.answer('A whole answer');
      else call.refuse(400);
    }
    for (const id of ids) {
      const end = (await (await follow(ada, id)).ended).at(-1);
      const { status } = (await ada.get(`/sessions/${id}`)).body.reply;
      expect([end?.event, status]).toEqual(end?.event === 'done' ? ['done', 'done'] : ['error', 'failed']);
      ends.push(status);
      const answer = status === 'done' ? ['agent: A whole answer'] : [];
      expect(await said(id)).toEqual([`user: Hello from ${id}`, ...answer]);
    }
    expect(ends.sort()).toEqual(['done', 'failed'].flatMap((status) => Array.from({ length: 5 }, () => status)));
    const taken = await sql.query(`SELECT DISTINCT attempts FROM replies WHERE session_id = ANY($1)`, [ids]);
    expect(taken.rows).toEqual([{ attempts: 2 }]);
    socket.close();
  }, 90_000);

  it('are followed on another node, which takes them over when theirs is killed', async () => {
    const id = await newSession();
    await ada.say(id, 'Hello?');
    const call = await model.next();
    call.say('Half');
    other = await runApp(env);
    const there = await at(other);
    const stream = await follow(there, id);
    await stream.untilText('Half');
    call.say(' of it');
    await stream.untilText('Half of it');
    await node.kill('SIGKILL');
    (await model.next()).answer('All of it');
    expect((await stream.ended).at(-1)?.data.message.content).toBe('All of it');
    expect(stream.text).toBe('All of it');
    node = await runApp(env);
    ada = await at(node);
    expect(await said(id)).toEqual(['user: Hello?', 'agent: All of it']);
  }, 90_000);

  it('are stopped through whichever node', async () => {
    for (const through of [ada, await at(other as RunningApp)]) {
      const id = await newSession();
      await ada.say(id, 'Hello?');
      const call = await model.next();
      call.say('Yes, ');
      const stream = await follow(ada, id);
      await stream.untilText('Yes, ');
      expect((await through.delete(`/sessions/${id}/reply`)).status).toBe(204);
      await call.over;
      expect((await stream.ended).at(-1)).toMatchObject({ event: 'done', data: { reply: { status: 'stopped' } } });
      expect(await said(id)).toEqual(['user: Hello?', 'agent: Yes,']);
    }
  }, 60_000);

  it('are told to nobody, on whatever node, a second after their login has ended or their account is off', async () => {
    const bob = await person(node.url, 'bob');
    const { url } = (other ??= await runApp(env));
    const there = () => signedInAgain(bob, url);
    const [leaver, stayer] = [await there(), await there()];
    const { body } = await stayer.post('/sessions', { type: 'agent', agentId });
    await stayer.say(body.id, 'Hello?');
    const call = await model.next();
    const open = async (who: Person) => ({ stream: await follow(who, body.id), socket: await who.socket() });
    const [left, stayed] = [await open(leaver), await open(stayer)];
    const hears = async ({ stream, socket }: typeof left, text: string) => {
      await stream.next(({ data }) => data.text === text);
      await socket.next((frame) => frame.type === 'message.delta' && frame.text === text);
    };
    call.say('to both, ');
    await Promise.all([left, stayed].map((each) => hears(each, 'to both, ')));
    await new Person(node.url, bob.name, bob.password, bob.id, leaver.token).post('/auth/logout');
    await sleep(1_000);
    call.say('to one, ');
    await hears(stayed, 'to one, ');
    expect((await left.socket.closed).code).toBe(4001);
    await left.stream.ended;
    await runCommand(['dist/src/operations/cli/admin.js', 'user:disable', bob.name], env);
    await sleep(1_000);
    call.say('to nobody');
    expect((await stayed.socket.closed).code).toBe(4003);
    await stayed.stream.ended;
    const heard = ({ stream, socket }: typeof left) => JSON.stringify([stream.heard, socket.heard]);
    expect(heard(left)).not.toMatch(/to one|to nobody/);
    expect(heard(stayed)).not.toContain('to nobody');
    call.end();
  }, 60_000);

  it('are stored once where a node was given up for dead and answers after all', async () => {
    const id = await newSession();
    await ada.say(id, 'Hello?');
    const first = await model.next();
    first.say('I was ');
    const second = await (async () => {
      for (let call = model.next(), found = false; ;) {
        void call.then(() => (found = true));
        while (!found) {
          // Of the first attempt alone: the second one's lease must hold.
          await sql.query(
            `UPDATE replies SET leased_until = now() - interval '1 second' WHERE session_id = $1 AND attempts = 1`,
            [id],
          );
        }
        return call;
      }
    })();
    first.answer('first.');
    second.answer('I am.');
    await (
      await follow(ada, id)
    ).ended;
    await first.over;
    expect(await said(id)).toEqual(['user: Hello?', 'agent: I am.']);
  }, 60_000);

  it('go to another node when theirs is shut down', async () => {
    await other?.stop();
    const id = await newSession();
    await ada.say(id, 'Hello?');
    const call = await model.next();
    call.say('Wait');
    other = await runApp(env);
    const there = await at(other);
    const stream = await follow(there, id);
    await stream.untilText('Wait');
    const stopped = node.stop();
    const again = await model.next();
    again.answer('Here.');
    expect((await stream.ended).at(-1)?.data.message.content).toBe('Here.');
    expect((await stopped).code).toBe(0);
    node = await runApp(env);
    ada = await at(node);
    expect(await said(id)).toEqual(['user: Hello?', 'agent: Here.']);
  }, 60_000);

  it('that have ended four nodes are marked failed, and keep what was said', async () => {
    const id = await newSession();
    await ada.say(id, 'Hello?');
    const call = await model.next();
    call.answer('Hello.');
    await (
      await follow(ada, id)
    ).ended;
    await sql.query(
      `INSERT INTO replies (session_id, id, asked_id, status, attempts, node, leased_until, text, replaces_id)
       SELECT session_id, $2, asked_id, 'running', 4, 1, now() + interval '1 hour', 'So far', message_id
       FROM replies WHERE session_id = $1`,
      [id, uuidv7()],
    );
    expect((await (await follow(ada, id)).ended).at(-1)).toMatchObject({ event: 'error', data: { status: 502 } });
    expect((await ada.get(`/sessions/${id}/reply`)).body).toMatchObject({
      status: 'failed',
      error: 'interrupted',
      text: 'So far',
    });
    expect(await said(id)).toEqual(['user: Hello?', 'agent: Hello.']);
  }, 60_000);
});
