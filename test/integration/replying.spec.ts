import { jest } from '@jest/globals';
import type { Response } from 'express';
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { Actors } from '../../src/auth/actors.js';
import { ConversationUpdated } from '../../src/conversations/conversations.events.js';
import { AnswerAgain } from '../../src/messages/answer-again.js';
import { AppendStore, type DraftRow } from '../../src/messages/append-store.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { Purge } from '../../src/operations/retention/purge.js';
import type { Config } from '../../src/platform/config/config.js';
import { Database } from '../../src/platform/database/database.js';
import { NodeLock } from '../../src/platform/database/node-lock.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import { Problem } from '../../src/platform/http/problem.js';
import { LiveReplies } from '../../src/sessions/replies/live-replies.js';
import { RepliesService } from '../../src/sessions/replies/replies.service.js';
import { ReplyQuestion } from '../../src/sessions/replies/reply-question.js';
import { ReplyStore, type TakenReply } from '../../src/sessions/replies/reply-store.js';
import { ReplyStream } from '../../src/sessions/replies/reply-stream.js';
import { ReplyWorker } from '../../src/sessions/replies/reply-worker.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';

const ECHO = '01990000-0000-7000-8000-000000000001';

describe('what an agent answers', () => {
  let services: Services;
  let ada: Actor;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    ada = await actor(services.dataSource, 'ada');
  }, 60_000);
  afterAll(() => services.close());

  const the = <T>(type: new (...args: any[]) => T): T => services.app.get(type);
  const sql = (text: string, values: unknown[] = []): Promise<any[]> => services.dataSource.query(text, values);
  const writer = (room: string) => the(AccessService).enter(ada, room, 'write');
  const say = async (room: string, content: string) =>
    (await the(MessagesService).append(await writer(room), { content })).message;
  const draftOf = (conversationId: string): DraftRow => ({
    ...{ conversationId, id: uuidv7(), authorId: ada.userId, agentId: null, role: 'user', content: 'last' },
    ...{ metadata: null, tokensUsed: null, nonce: null, replyToId: null, replyId: uuidv7(), attempt: null },
    ...{ replyStatus: null, mentionNames: null, mentionServerId: null, mentionUserIds: [], mentionsEveryone: false },
  });
  const remove = async (room: string, id: string) =>
    the(MessagesService).delete(await the(AccessService).enter(ada, room, 'moderate'), id);
  const newSession = async () => (await the(SessionsService).create(ada, { type: 'agent', agentId: ECHO })).session.id;
  const replies = (id: string) =>
    sql(`SELECT id, status, message_id FROM replies WHERE session_id = $1 ORDER BY created_at, id`, [id]);
  const untilDone = async (id: string, count: number) => {
    for (;;) {
      const rows = await replies(id);
      if (rows.length === count && rows.every(({ status }) => status === 'done')) return rows;
      await sleep(20);
    }
  };
  const purge = async () => {
    await sql(`UPDATE messages SET deleted_at = now() - interval '40 days' WHERE deleted_at IS NOT NULL`);
    const config = { retention: { tombstoneDays: 30, revisionDays: undefined, logDays: undefined } } as Config;
    await new Purge(the(Database), the(UnitOfWork), config).run();
  };

  it('is there for what still waits, though the newest of it was deleted', async () => {
    const id = await newSession();
    const first = await say(id, 'hello');
    const [{ message_id: answer }] = await untilDone(id, 1);
    // A reply that takes its time.
    const busy = '01990000-0000-7000-8000-0000000000aa';
    await sql(
      `INSERT INTO replies (session_id, id, asked_id, replaces_id, status, attempts, node, leased_until)
       VALUES ($1, $2, $3, $4, 'running', 1, $5, now() + interval '1 hour')`,
      [id, busy, first.id, answer, the(NodeLock).node],
    );
    const question = await say(id, 'what is the time?');
    const slip = await say(id, 'sent by mistake');
    await remove(id, slip.id);
    await sql(`DELETE FROM replies WHERE session_id = $1 AND id = $2`, [id, busy]);
    while (['waiting', 'running'].includes((await replies(id)).at(-1)?.status)) await sleep(20);
    const said = await sql(`SELECT content FROM messages WHERE conversation_id = $1 AND role = 'agent' AND seq > $2`, [
      id,
      question.seq,
    ]);
    expect(said).toHaveLength(1);
  }, 20_000);

  it('is said again in its own place, also where a later question was purged', async () => {
    const id = await newSession();
    await say(id, 'one');
    await untilDone(id, 1);
    const two = await say(id, 'two');
    await untilDone(id, 2);
    await remove(id, two.id);
    await purge();
    const answers = () =>
      sql(
        `SELECT content, edited_at IS NOT NULL AS again FROM messages
         WHERE conversation_id = $1 AND role = 'agent' ORDER BY seq`,
        [id],
      );
    const before = await answers();
    await the(RepliesService).ask(await writer(id));
    await untilDone(id, 3);
    expect(await answers()).toEqual([{ ...before[0], again: true }, before[1]]);
  }, 20_000);

  it('last is what was asked for last, also where the clock was put back', async () => {
    const id = await newSession();
    const ahead = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    await say(id, 'one');
    ahead.mockRestore();
    await untilDone(id, 1);
    await say(id, 'two');
    const rows = await untilDone(id, 2);
    const reader = await the(AccessService).enter(ada, id, 'read');
    expect((await the(RepliesService).latest(reader))?.id).toBe(rows[1].id);
    expect((await the(SessionsService).read(reader)).reply?.id).toBe(rows[1].id);
  }, 20_000);

  it('last is what was asked for last, also where that was stored with what waited for another room', async () => {
    const [locked, id] = [await newSession(), await newSession()];
    const holder = services.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query(`SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE`, [locked]);
    // As another node does with what comes to it together.
    const storing = the(AppendStore).append([draftOf(locked), draftOf(id)], false);
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    while ((await sql(waiting)).length === 0) await sleep(5);
    await say(id, 'first');
    await untilDone(id, 1);
    await holder.commitTransaction();
    await holder.release();
    const [, last] = await storing;
    await untilDone(id, 2);
    const reader = await the(AccessService).enter(ada, id, 'read');
    expect((await the(RepliesService).latest(reader))?.id).toBe(last?.replyId);
    expect((await the(SessionsService).read(reader)).reply?.id).toBe(last?.replyId);
  }, 20_000);

  it('in the place of an earlier answer is told to be done, though that was lost on its way from the database', async () => {
    const id = await newSession();
    await say(id, 'one');
    await untilDone(id, 1);
    const told: string[] = [];
    the(EventBus).on(ConversationUpdated, ({ conversation: { reply } }) => {
      if (reply) told.push(`${reply.id} ${reply.status}`);
    });
    const again = the(AnswerAgain);
    const instead = again.instead.bind(again);
    again.instead = async (...args) => {
      again.instead = instead;
      await instead(...args);
      throw new Error('Connection terminated unexpectedly');
    };
    const replyId = await the(RepliesService).ask(await writer(id));
    await untilDone(id, 2);
    await sleep(2_000);
    expect(told).toContain(`${replyId} done`);
  }, 20_000);

  it('holds of what was said before no more than its agent may be shown, and all of that', async () => {
    const id = await newSession();
    await sql(
      `INSERT INTO messages (conversation_id, seq, id, rev, author_id, role, content)
       SELECT $1, n, uuidv7(), n, $2, 'user', n || repeat('x', CASE WHEN n = 200 THEN 20000 ELSE 9999 END)
       FROM generate_series(1, 200) n`,
      [id, ada.userId],
    );
    const [{ asked }] = await sql(`SELECT id AS asked FROM messages WHERE conversation_id = $1 AND seq = 200`, [id]);
    const reply = { id, sessionId: id, askedId: asked, userId: ada.userId, username: 'ada' } as TakenReply;
    const shown = async (tokens: number) => {
      await sql(`UPDATE agents SET context_tokens = $2 WHERE id = $1`, [ECHO, tokens]);
      const history = (await the(ReplyQuestion).of(reply, ECHO))?.history ?? [];
      return history.map(({ content }) => parseInt(content, 10));
    };
    expect(await shown(256)).toEqual([200]);
    expect(await shown(8_000)).toEqual([198, 199, 200]);
    expect(await shown(2_000_000)).toHaveLength(200);
  });

  it('so far is kept, though the database failed once when it was to be', async () => {
    const sessionId = await newSession();
    const { id: askedId } = await say(sessionId, 'Tell me.');
    const [{ id }] = await untilDone(sessionId, 1);
    await sql(
      `UPDATE replies SET status = 'running', node = $2, leased_until = now() + interval '1 hour', ended_at = NULL
       WHERE id = $1`,
      [id, the(NodeLock).node],
    );
    const failed = jest.spyOn(the(ReplyStore), 'beat').mockRejectedValueOnce(new Error('the database is away'));
    const asked = { id, sessionId, askedId, replacesId: null, agentId: ECHO, userId: ada.userId, username: 'ada' };
    const run = the(LiveReplies).begin({
      ...asked,
      attempt: 1,
      stopRequested: false,
      text: '',
      open: true,
      enabled: true,
    });
    run.add('Some words');
    while (failed.mock.calls.length < 3) await sleep(50);
    failed.mockRestore();
    expect(await sql(`SELECT text FROM replies WHERE id = $1`, [id])).toEqual([{ text: 'Some words' }]);
    run.leave('lost');
    the(LiveReplies).end(run);
    await sql(`UPDATE replies SET status = 'done', node = NULL, leased_until = NULL, ended_at = now() WHERE id = $1`, [
      id,
    ]);
  });

  it('is handed on where it cannot be stored while its node shuts down', async () => {
    const id = await newSession();
    const pass = await writer(id);
    const messages = the(MessagesService);
    const append = messages.append.bind(messages);
    messages.append = (speaker, draft) =>
      draft.reply ? Promise.reject(Problem.unavailable()) : append(speaker, draft);
    await messages.append(pass, { content: 'one' });
    while ((await replies(id))[0]?.status !== 'running') await sleep(20);
    const worker = the(ReplyWorker);
    worker.onModuleDestroy();
    await worker.beforeApplicationShutdown();
    messages.append = append;
    expect(await replies(id)).toMatchObject([{ status: 'running' }]);
  }, 20_000);

  it('is told to nobody whose login ended after they were let in and before they were there to be told', async () => {
    const bob = await actor(services.dataSource, 'bob');
    expect(await the(Actors).find(bob.loginId)).toBeDefined();
    await sql(`UPDATE logins SET ended_at = now() WHERE id = $1`, [bob.loginId]);
    await sleep(1_000);
    const signal = the(ReplyStream).leaving(bob, new EventEmitter() as Response);
    for (let tries = 0; tries < 40 && !signal.aborted; tries += 1) await sleep(50);
    expect(signal.aborted).toBe(true);
  });
});
