import { v7 as uuidv7 } from 'uuid';
import { AccessService } from '../../src/access/access.service.js';
import type { AnsweringAgent, Writer } from '../../src/access/pass.js';
import type { Actor } from '../../src/auth/actor.js';
import { ConversationUpdated } from '../../src/conversations/conversations.events.js';
import { MessageCreated, MessageDeleted } from '../../src/messages/messages.events.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import type { DomainEvent } from '../../src/platform/events/event.js';
import { ServersService } from '../../src/servers/servers/servers.service.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';

const ECHO = '01990000-0000-7000-8000-000000000001';

/** What append_messages does beside storing: asking an agent, ending a reply, and judging the author once more. */
describe('a message in a session', () => {
  let services: Services;
  let ada: Actor;
  let bob: Actor;
  let heard: DomainEvent[];

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    ada = await actor(services.dataSource, 'ada');
    bob = await actor(services.dataSource, 'bob');
    await services.dataSource.query(`UPDATE users SET is_advocate = true WHERE id = $1`, [bob.userId]);
    services.app.get(EventBus).onAny((event) => heard.push(event));
  }, 60_000);
  beforeEach(() => (heard = []));
  afterAll(() => services.close());

  const sql = (text: string, values: unknown[] = []) => services.dataSource.query(text, values);
  const enter = (who: Actor, id: string) => services.app.get(AccessService).enter(who, id, 'write');
  const append = (pass: Writer | AnsweringAgent, content: string, more = {}) =>
    services.app.get(MessagesService).append(pass, { content, ...more });
  const repliesIn = (id: string) => sql(`SELECT * FROM replies WHERE session_id = $1 ORDER BY id`, [id]);
  const agentSession = async (agentId = ECHO) =>
    (await services.app.get(SessionsService).create(ada, { type: 'agent', agentId })).session.id;
  const peerSession = async () =>
    (await services.app.get(SessionsService).create(ada, { type: 'peer', advocateId: bob.userId })).session.id;

  /** A session with one message, whose reply seems to run on another node. */
  const busySession = async () => {
    const id = await agentSession(await newAgent(false));
    const { message } = await append(await enter(ada, id), 'first');
    await sql(`UPDATE agents SET enabled = true WHERE id = (SELECT agent_id FROM sessions WHERE id = $1)`, [id]);
    const replyId = uuidv7();
    await sql(
      `INSERT INTO replies (session_id, id, asked_id, status, attempts, leased_until)
       VALUES ($1, $2, $3, 'running', 1, now() + interval '1 hour')`,
      [id, replyId, message.id],
    );
    return { id, replyId };
  };
  const newAgent = async (enabled: boolean) => {
    const id = uuidv7();
    await sql(`INSERT INTO agents (id, slug, name, kind, enabled) VALUES ($1, $2, 'A', 'echo', $3)`, [
      id,
      `agent-${id}`,
      enabled,
    ]);
    return id;
  };

  it('asks for a reply in the commit that stores it', async () => {
    const { id } = await busySession();
    const { message } = await append(await enter(ada, id), 'and then?');
    const rows = await sql(
      `SELECT reply.xmin::text = message.xmin::text AS "sameCommit", reply.status
       FROM replies reply JOIN messages message ON message.id = reply.asked_id WHERE message.id = $1`,
      [message.id],
    );
    expect(rows).toEqual([{ sameCommit: true, status: 'waiting' }]);
  });

  it('moves the question of the reply that waits already, alone or in one batch with others', async () => {
    const { id } = await busySession();
    const writer = await enter(ada, id);
    await append(writer, 'second');
    const batch = await Promise.all(['third', 'fourth', 'fifth'].map((text) => append(writer, text)));
    const replies = await repliesIn(id);
    expect(replies.map(({ status }: { status: string }) => status)).toEqual(['running', 'waiting']);
    expect(replies[1].asked_id).toBe(batch[2]?.message.id);
  });

  it('asks for a reply also in one batch with messages of channels, which are stored as by themselves', async () => {
    const { id } = await busySession();
    const channel = (await services.app.get(ServersService).create(ada, 'S', undefined)).channels[0]?.id as string;
    const [asking, speaking] = [await enter(ada, id), await enter(ada, channel)];
    const [first, second, asked] = await Promise.all([
      append(speaking, 'one'),
      append(speaking, 'two'),
      append(asking, 'and you?'),
    ]);
    expect([first.message.seq, second.message.seq, asked.message.seq]).toEqual([1, 2, 2]);
    expect(await repliesIn(id)).toMatchObject([{ status: 'running' }, { id: asked.replyId, status: 'waiting' }]);
    const alone = await append(speaking, 'three');
    expect(alone).toMatchObject({ created: true, replyId: null, message: { seq: 3 } });
  });

  it('asks nobody where the agent is switched off, or a person helps', async () => {
    for (const id of [await agentSession(await newAgent(false)), await peerSession()]) {
      await append(await enter(ada, id), 'hello?');
      expect(await repliesIn(id)).toEqual([]);
    }
  });

  it('is answered by the echo agent, and the reply ends in the commit that stores the answer', async () => {
    const id = await agentSession();
    const answered = new Promise<void>((resolve) =>
      services.app.get(EventBus).on(MessageCreated, ({ conversationId, message }) => {
        if (conversationId === id && message.role === 'agent') resolve();
      }),
    );
    await append(await enter(ada, id), 'hello');
    await answered;
    const rows = await sql(
      `SELECT reply.xmin::text = message.xmin::text AS "sameCommit", reply.status, message.content
       FROM replies reply JOIN messages message ON message.id = reply.message_id WHERE reply.session_id = $1`,
      [id],
    );
    expect(rows).toEqual([{ sameCommit: true, status: 'done', content: 'hello' }]);
  });

  it('stores the answer of the attempt that runs, once, and of no other, also where the session was closed', async () => {
    const { id, replyId } = await busySession();
    const [{ agent_id: agentId }] = await sql(`SELECT agent_id FROM sessions WHERE id = $1`, [id]);
    const pass = await services.app.get(AccessService).enterAsAgent(agentId, id);
    const end = (attempt: number) => append(pass, 'answer', { reply: { id: replyId, attempt, status: 'done' } });
    await services.app
      .get(SessionsService)
      .change(await services.app.get(AccessService).enter(ada, id, 'own'), { status: 'closed' });
    await expect(end(2)).rejects.toMatchObject({ code: 'reply_over' });
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => end(1)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const said = await sql(`SELECT content FROM messages WHERE conversation_id = $1 AND role = 'agent'`, [id]);
    expect(said).toEqual([{ content: 'answer' }]);
  });

  it('cannot have two replies running or two answers, whatever the code does', async () => {
    const { id } = await busySession();
    const insert = (values: string) =>
      sql(
        `INSERT INTO replies (session_id, id, asked_id, status, leased_until, message_id)
         SELECT session_id, gen_random_uuid(), asked_id, ${values} FROM replies WHERE session_id = $1`,
        [id],
      );
    await expect(insert(`'running', now(), NULL`)).rejects.toThrow('replies_running_key');
    await expect(insert(`'waiting', NULL, NULL`)).rejects.toThrow('replies_asked_key');
    await expect(insert(`'done', NULL, asked_id`)).rejects.toThrow('replies_asked_key');
  });

  it('is refused to an advocate who was let go after the pass was made, and not announced to them', async () => {
    const id = await peerSession();
    const his = await enter(bob, id);
    const hers = await enter(ada, id);
    const { message } = await append(his, 'while I am here');
    await sql(`UPDATE sessions SET advocate_id = NULL WHERE id = $1`, [id]);
    heard = [];
    await expect(append(his, 'too late')).rejects.toMatchObject({ status: 404 });
    await expect(services.app.get(MessagesService).delete(his, message.id)).rejects.toMatchObject({ status: 404 });
    const { message: own } = await append(hers, 'only for me');
    await services.app.get(MessagesService).delete(hers, own.id);
    const audiences = heard
      .filter(({ type }) => type === MessageCreated.type || type === MessageDeleted.type)
      .map(({ audience }) => audience);
    expect(audiences).toEqual([[`user:${ada.userId}`], [`user:${ada.userId}`]]);
  });

  it('is refused to an agent whose session went to a person', async () => {
    const { id, replyId } = await busySession();
    const [{ agent_id: agentId }] = await sql(`SELECT agent_id FROM sessions WHERE id = $1`, [id]);
    const pass = await services.app.get(AccessService).enterAsAgent(agentId, id);
    await sql(`UPDATE sessions SET type = 'peer' WHERE id = $1`, [id]);
    const reply = { id: replyId, attempt: 1, status: 'done' };
    await expect(append(pass, 'me too', { reply })).rejects.toMatchObject({ status: 404 });
  });

  it('gives the session its title where it has none, once, on one line and not too long', async () => {
    const id = await peerSession();
    await append(await enter(bob, id), 'Welcome!');
    const words = `  How do I\n\n${'really '.repeat(20)}`;
    await append(await enter(ada, id), words.trim());
    await append(await enter(ada, id), 'Something else');
    const [{ title }] = await sql(`SELECT title FROM sessions WHERE id = $1`, [id]);
    expect(title).toBe(`${words.trim().replace(/\s+/g, ' ').slice(0, 59)}…`);
    const titles = heard.filter(({ type }) => type === ConversationUpdated.type).map(({ data }) => data);
    expect(titles).toEqual([{ conversation: { id, title } }]);
  });

  it('lets nobody have all the agents to themselves', async () => {
    const cleo = await actor(services.dataSource, 'cleo');
    const share = 256;
    const busy = Array.from({ length: share }, () => uuidv7());
    await sql(
      `INSERT INTO conversations (id, kind, last_seq, last_rev) SELECT id, 'session', 1, 1 FROM unnest($1::uuid[]) id`,
      [busy],
    );
    await sql(
      `INSERT INTO sessions (id, type, owner_id, agent_id) SELECT id, 'agent', $2, $3 FROM unnest($1::uuid[]) id`,
      [busy, cleo.userId, ECHO],
    );
    await sql(
      `INSERT INTO messages (conversation_id, seq, id, rev, author_id, role, content)
       SELECT id, 1, id, 1, $2, 'user', 'go on' FROM unnest($1::uuid[]) id`,
      [busy, cleo.userId],
    );
    await sql(
      `INSERT INTO replies (session_id, id, asked_id, status, attempts, leased_until)
       SELECT id, id, id, 'running', 1, now() + interval '1 hour' FROM unnest($1::uuid[]) id`,
      [busy],
    );
    const newSession = async (who: Actor) =>
      (await services.app.get(SessionsService).create(who, { type: 'agent', agentId: ECHO })).session.id;
    const one = await newSession(cleo);
    await append(await enter(cleo, one), 'one more');
    const other = await newSession(bob);
    await append(await enter(bob, other), 'hello');
    while ((await repliesIn(other))[0].status !== 'done') await sql('SELECT pg_sleep(0.05)');
    expect((await repliesIn(one))[0].status).toBe('waiting');
    await sql(`DELETE FROM replies WHERE session_id = $1`, [busy[0]]);
    while ((await repliesIn(one))[0].status !== 'done') await sql('SELECT pg_sleep(0.05)');
    await sql(`DELETE FROM conversations WHERE id = ANY($1)`, [busy]);
  }, 30_000);
});
