import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentAnswerer } from '../../src/agents/agent-answerer.js';
import { AgentsService } from '../../src/agents/agents.service.js';
import type { AgentBody } from '../../src/agents/agents.dto.js';
import type { Actor } from '../../src/auth/actor.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { CredentialsService } from '../../src/users/credentials/credentials.service.js';
import { actor, type Services, startServices } from '../support/services.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { delta, Upstream, usage } from '../support/upstream.js';

const HISTORY = [
  { role: 'user' as const, content: 'Where is Dante?' },
  { role: 'assistant' as const, content: 'In Hell.' },
  { role: 'user' as const, content: 'And Virgil?' },
];
const SESSION = '01990000-0000-7000-8000-00000000aaaa';
const MESSAGE = '01990000-0000-7000-8000-00000000bbbb';

describe('an agent that is called', () => {
  let database: TestDatabase;
  let services: Services;
  let upstream: Upstream;
  let ada: Actor;
  let bob: Actor;

  beforeAll(async () => {
    database = await createTestDatabase();
    services = await startServices(database.url, { OUTBOUND_ALLOWED_HOSTS: '127.0.0.1', AGENT_TIMEOUT_SECONDS: '1' });
    upstream = await Upstream.start();
    ada = await actor(services.dataSource, 'ada');
    bob = await actor(services.dataSource, 'bob');
    const credentials = services.app.get(CredentialsService);
    for (const key of ['old key of ada', 'sk-of-ada']) {
      const keep = { provider: 'openai', label: 'mine', key };
      await services.app.get(UnitOfWork).run((tx) => credentials.add(tx, ada.userId, keep));
    }
  }, 60_000);

  afterAll(async () => {
    await services.close();
    await upstream.stop();
    await database.drop();
  });

  let count = 0;
  const make = async (body: Partial<AgentBody>) => {
    const whole = {
      slug: `agent-${(count += 1)}`,
      name: 'Agent',
      kind: 'webhook' as const,
      url: upstream.url,
      ...body,
    };
    return (await services.app.get(AgentsService).create(whole)).id;
  };
  const ask = async (agentId: string, { as = ada, signal = new AbortController().signal, history = HISTORY } = {}) => {
    const { userId, profile } = as;
    const question = { agentId, sessionId: SESSION, messageId: MESSAGE, userId, username: profile.username, history };
    const answer = { pieces: [] as string[], text: '', tokensUsed: undefined as number | undefined };
    for await (const part of await services.app.get(AgentAnswerer).answer(question, signal)) {
      if ('text' in part) answer.pieces.push(part.text);
      answer.tokensUsed = part.tokensUsed ?? answer.tokensUsed;
    }
    return { ...answer, text: answer.pieces.join('') };
  };
  const failure = (code: string, retryable: boolean) => expect.objectContaining({ code, retryable });

  describe('as a webhook', () => {
    let webhook: string;
    beforeAll(async () => (webhook = await make({ slug: 'hook', url: `${upstream.url}/webhook/1?a=b` })));

    it('gets who asks what, and what was said before', async () => {
      upstream.says({ reply: 'Beside him.' });
      expect(await ask(webhook)).toMatchObject({ text: 'Beside him.', tokensUsed: 0 });
      const [{ method, path, headers, body }] = upstream.received as [(typeof upstream.received)[0]];
      expect([method, path, headers['content-type']]).toEqual(['POST', '/webhook/1?a=b', 'application/json']);
      expect(headers.authorization).toBeUndefined();
      expect(body).toEqual({
        sessionId: SESSION,
        userId: ada.userId,
        username: ada.profile.username,
        agent: 'hook',
        chatInput: 'And Virgil?',
        messageId: MESSAGE,
        history: HISTORY.slice(0, 2),
      });
    });

    it('gets its key, where it has one, and no more history than its budget', async () => {
      const keyed = await make({ apiKey: 'hook-key', contextTokens: 256 });
      upstream.says({ reply: 'ok' });
      await ask(keyed, { history: [{ role: 'user', content: 'x'.repeat(2000) }, ...HISTORY] });
      expect(upstream.received[0]?.headers.authorization).toBe('Bearer hook-key');
      expect(upstream.received[0]?.body.history).toEqual(HISTORY.slice(0, 2));
    });

    it.each<[string, unknown, string | undefined]>([
      ['reply', { reply: 'hello' }, undefined],
      ['output', { output: 'hello' }, undefined],
      ['text', { text: 'hello' }, undefined],
      ['message', { message: 'hello' }, undefined],
      ['the first that holds something', { reply: '', output: null, text: 'hello', message: 'no' }, undefined],
      ['the first element of a list', [{ output: 'hello' }, { output: 'no' }], undefined],
      ['a list of texts', ['hello', 'no'], undefined],
      ['a text as JSON', '"hello"', 'application/json'],
      ['plain text', 'hello', 'text/plain'],
      ['text that n8n calls HTML', 'hello', 'text/html; charset=utf-8'],
      ['JSON that is called text', '[{"output":"hello"}]', 'text/html'],
      ['JSON of a special kind', '{"output":"hello"}', 'application/vnd.agent+json; charset=utf-8'],
    ])('may answer %s', async (_, answer, type) => {
      upstream.says(answer, 200, type);
      expect((await ask(webhook)).text).toBe('hello');
    });

    it('may say what it has cost', async () => {
      upstream.says([{ output: 'hello', tokensUsed: 42 }]);
      expect((await ask(webhook)).tokensUsed).toBe(42);
      upstream.says({ output: 'hello', tokensUsed: -1 });
      expect((await ask(webhook)).tokensUsed).toBe(0);
    });

    it.each<[string, unknown, string]>([
      ['no known field', { data: 'hello' }, 'unreadable'],
      ['a field that is no text', { reply: { deep: 'hello' } }, 'unreadable'],
      ['a number', 42, 'unreadable'],
      ['null', null, 'unreadable'],
      ['an empty list', [], 'unreadable'],
      ['an empty object', {}, 'unreadable'],
      ['an empty text', { reply: '  ' }, 'empty'],
      ['nothing', '', 'empty'],
      ['a page', '<!DOCTYPE html><html><body>Sign in</body></html>', 'unreadable'],
    ])('fails with %s', async (_, answer, code) => {
      upstream.says(answer);
      await expect(ask(webhook)).rejects.toEqual(failure(code, false));
    });

    it('fails with an event stream: its frames are not what the agent says', async () => {
      upstream.streams([delta('hello', 'stop')]);
      await expect(ask(webhook)).rejects.toEqual(failure('unreadable', false));
    });

    it('fails with JSON that is none', async () => {
      upstream.says('{"reply": "hel', 200, 'application/json');
      await expect(ask(webhook)).rejects.toEqual(failure('unreadable', false));
    });

    it.each<[number, string, boolean]>([
      [400, 'refused', false],
      [401, 'refused', false],
      [404, 'refused', false],
      [429, 'rate_limited', true],
      [500, 'upstream_failed', false],
      [502, 'upstream_failed', false],
      [503, 'upstream_failed', true],
    ])('fails with the status %d, and is asked again only where nothing was done', async (status, code, retryable) => {
      upstream.says({ reply: 'an error' }, status);
      await expect(ask(webhook)).rejects.toEqual(failure(code, retryable));
    });

    it('says when it wants to be asked again', async () => {
      upstream.does((response) => void response.writeHead(429, { 'retry-after': '7' }).end());
      await expect(ask(webhook)).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 7_000 });
    });

    it('fails with a redirect, which is not followed', async () => {
      upstream.does((response) => void response.writeHead(307, { location: `${upstream.url}/inside` }).end());
      await expect(ask(webhook)).rejects.toEqual(failure('refused', false));
      expect(upstream.received).toHaveLength(1);
    });

    it('fails when it does not answer in time', async () => {
      upstream.does(() => undefined);
      await expect(ask(webhook)).rejects.toEqual(failure('timed_out', false));
    });

    it('fails when the connection breaks, before the answer and in it', async () => {
      upstream.does((response) => void response.destroy());
      await expect(ask(webhook)).rejects.toEqual(failure('broken_off', false));
      upstream.does((response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('{"reply": "hel');
        setImmediate(() => response.destroy());
      });
      await expect(ask(webhook)).rejects.toEqual(failure('broken_off', false));
    });

    it('fails with more than 1 MiB', async () => {
      upstream.says({ reply: 'x'.repeat(1024 * 1024) });
      await expect(ask(webhook)).rejects.toEqual(failure('too_large', false));
    });

    it('fails where nobody is there, and is asked again', async () => {
      const gone = await Upstream.start();
      const agent = await make({ url: gone.url });
      await gone.stop();
      await expect(ask(agent)).rejects.toEqual(failure('unreachable', true));
    });

    it('fails where its address came to be closed', async () => {
      const agent = await make({ url: 'http://agent.example/' });
      await services.dataSource.query(`UPDATE agents SET url = 'http://10.0.0.1/' WHERE id = $1`, [agent]);
      await expect(ask(agent)).rejects.toEqual(failure('address_refused', false));
    });

    it('is not listened to any more once the reply is stopped', async () => {
      const stop = new AbortController();
      const broken = new Promise<void>((resolve) => {
        upstream.does((response) => {
          response.once('close', resolve);
          stop.abort(new Error('stopped'));
        });
      });
      await expect(ask(webhook, { signal: stop.signal })).rejects.toThrow('stopped');
      await broken;
    });
  });

  describe('as an OpenAI-compatible endpoint', () => {
    let model: string;
    const body = { kind: 'openai' as const, model: 'test-1', systemPrompt: 'You are a librarian.' };
    beforeAll(async () => {
      model = await make({ ...body, url: `${upstream.url}/v1`, apiKey: 'sk-agent', temperature: 0.5, maxTokens: 99 });
    });
    const HELLO = [delta(''), delta('Hel'), delta('lo, '), delta('Ada'), delta(null, 'stop'), usage(31)];

    it('is asked with the prompt first, and streams', async () => {
      upstream.streams(HELLO);
      expect(await ask(model)).toEqual({ pieces: ['Hel', 'lo, ', 'Ada'], text: 'Hello, Ada', tokensUsed: 31 });
      const [{ method, path, headers, body: asked }] = upstream.received as [(typeof upstream.received)[0]];
      expect([method, path, headers.authorization]).toEqual(['POST', '/v1/chat/completions', 'Bearer sk-agent']);
      expect(asked).toEqual({
        model: 'test-1',
        messages: [{ role: 'system', content: 'You are a librarian.' }, ...HISTORY],
        stream: true,
        stream_options: { include_usage: true },
        temperature: 0.5,
        max_tokens: 99,
      });
    });

    it('is asked with no more history than its budget', async () => {
      const small = await make({ ...body, apiKey: 'k', contextTokens: 256 });
      upstream.streams(HELLO);
      await ask(small, { history: [{ role: 'user', content: 'x'.repeat(2000) }, ...HISTORY] });
      expect(upstream.received[0]?.body.messages.slice(1)).toEqual(HISTORY);
    });

    it('is asked with the newest key of the caller where it has none, and fails where there is none', async () => {
      const keyless = await make(body);
      upstream.streams(HELLO);
      await ask(keyless);
      expect(upstream.received[0]?.headers.authorization).toBe('Bearer sk-of-ada');
      await expect(ask(keyless, { as: bob })).rejects.toEqual(failure('no_credential', false));
      const other = await make({ ...body, provider: 'other' });
      await expect(ask(other)).rejects.toEqual(failure('no_credential', false));
      expect(upstream.received).toHaveLength(1);
    });

    it('has its tokens estimated where it does not tell them', async () => {
      upstream.streams([delta('Hello'), delta(null, 'stop')]);
      expect((await ask(model)).tokensUsed).toBeGreaterThan(10);
    });

    it.each(['many', -1, 1.5, 2 ** 40, {}])('has them estimated where it says %s', async (total_tokens) => {
      upstream.streams([delta('Hello'), delta(null, 'stop'), { choices: [], usage: { total_tokens } }]);
      const { tokensUsed } = await ask(model);
      expect(tokensUsed).toBeGreaterThan(10);
      expect(tokensUsed).toBeLessThan(1000);
    });

    it.each<[string, (object | string)[], string, boolean]>([
      ['nothing', [delta(null, 'stop'), usage(3)], 'empty', false],
      ['a stream without an event', [], 'broken_off', true],
      ['no JSON', [delta('Hel'), '{"choices": [{'], 'unreadable', false],
      ['JSON of another form', [{ hello: 'world' }, 'null', delta('x'), '7'], 'unreadable', false],
      [
        'text that is none',
        [{ choices: [{ delta: { content: [{ type: 'text', text: 'x' }] } }] }],
        'unreadable',
        false,
      ],
      ['a number as text', [{ choices: [{ delta: { content: 7 } }] }], 'unreadable', false],
      ['an error as an event', [{ error: { message: 'overloaded' } }], 'upstream_failed', true],
      ['an error after the first words', [delta('Hel'), { error: { message: 'x' } }], 'upstream_failed', false],
    ])('fails with %s', async (_, events, code, retryable) => {
      upstream.streams(events);
      await expect(ask(model)).rejects.toEqual(failure(code, retryable));
    });

    it('is whole where the stream says so at its end, in one way or the other', async () => {
      upstream.streams([delta('Hello.')]);
      expect((await ask(model)).text).toBe('Hello.');
      upstream.streams([delta('Hello.', 'stop')], { complete: false });
      expect((await ask(model)).text).toBe('Hello.');
      upstream.streams([delta('Hello.')], { complete: false });
      await expect(ask(model)).rejects.toEqual(failure('broken_off', false));
    });

    it('is whole at its end, whatever becomes of the connection after that', async () => {
      upstream.does((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`data: ${JSON.stringify(delta('Hello.', 'stop'))}\n\ndata: [DONE]\n\n`);
      });
      expect((await ask(model)).text).toBe('Hello.');
      upstream.streams([delta('Hello.', 'stop')], { cut: true });
      expect(await ask(model)).toMatchObject({ text: 'Hello.', tokensUsed: expect.any(Number) });
    });

    it('is not whole where it breaks off, though each piece tells what it has cost so far', async () => {
      const costly = (text: string, total_tokens: number) => ({ ...delta(text), usage: { total_tokens } });
      upstream.streams([costly('Hel', 5), costly('lo', 6)], { complete: false });
      await expect(ask(model)).rejects.toEqual(failure('broken_off', false));
    });

    it.each([
      [400, { error: { message: 'Unrecognized request argument supplied: stream_options' } }],
      [422, { detail: [{ loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }] }],
    ])('is asked again without stream_options where they are refused with %d', async (status, refusal) => {
      upstream.does((response, { body }) => {
        if (body.stream_options) return void response.writeHead(status).end(JSON.stringify(refusal));
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(`data: ${JSON.stringify(delta('Hello.', 'stop'))}\n\n`);
      });
      expect(await ask(model)).toMatchObject({ text: 'Hello.', tokensUsed: expect.any(Number) });
      const [first, second] = upstream.received.map(({ body }) => body);
      expect(second).toEqual({ ...first, stream_options: undefined });
      expect(upstream.received).toHaveLength(2);
    });

    it('is asked once where it refuses something else, or stream_options that it was not given', async () => {
      upstream.says({ error: { message: 'no such model' } }, 400);
      await expect(ask(model)).rejects.toEqual(failure('refused', false));
      expect(upstream.received).toHaveLength(1);
      upstream.says({ error: { message: 'stream_options are not known' } }, 400);
      await expect(ask(model)).rejects.toEqual(failure('refused', false));
      expect(upstream.received).toHaveLength(2);
    });

    it('may take longer than the time limit as long as it goes on', async () => {
      upstream.does(async (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (let i = 0; i < 6; i += 1) {
          response.write(`data: ${JSON.stringify(delta('x'))}\n\n`);
          await sleep(400);
        }
        response.end('data: [DONE]\n\n');
      });
      expect((await ask(model)).text).toBe('xxxxxx');
    });

    it('is asked by a hundred at once', async () => {
      const open: ServerResponse[] = [];
      upstream.does((response) => {
        if (open.push(response) < 100) return;
        for (const each of open) {
          each.writeHead(200, { 'content-type': 'text/event-stream' });
          each.end(`data: ${JSON.stringify(delta('x', 'stop'))}\n\n`);
        }
      });
      const answers = await Promise.all(Array.from({ length: 100 }, () => ask(model)));
      expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 100 }, () => 'x'));
    });

    it('fails when the stream breaks, and is asked again only where nothing was said', async () => {
      upstream.streams([delta('Hel')], { cut: true });
      await expect(ask(model)).rejects.toEqual(failure('broken_off', false));
      upstream.streams([], { cut: true });
      await expect(ask(model)).rejects.toEqual(failure('broken_off', true));
    });

    it.each<[string, unknown, string]>([
      ['a whole answer, not a stream', { choices: [{ message: { content: 'hello' } }] }, 'unreadable'],
      ['a page', '<html></html>', 'unreadable'],
    ])('fails with %s', async (_, answer, code) => {
      upstream.says(answer);
      await expect(ask(model)).rejects.toEqual(failure(code, false));
    });

    it.each<[number, string, boolean]>([
      [400, 'refused', false],
      [401, 'refused', false],
      [404, 'refused', false],
      [429, 'rate_limited', true],
      [500, 'upstream_failed', true],
      [503, 'upstream_failed', true],
    ])('fails with the status %d, after one call', async (status, code, retryable) => {
      upstream.says({ error: { message: 'an error with sk-agent in it' } }, status);
      await expect(ask(model)).rejects.toEqual(failure(code, retryable));
      await expect(ask(model)).rejects.not.toThrow('sk-agent');
      expect(upstream.received).toHaveLength(2);
    });

    it('says when it wants to be asked again', async () => {
      upstream.does((response) => void response.writeHead(503, { 'retry-after': '7' }).end('{}'));
      await expect(ask(model)).rejects.toMatchObject({ code: 'upstream_failed', retryAfterMs: 7_000 });
      upstream.says({ error: { message: 'an error' } }, 503);
      await expect(ask(model)).rejects.toMatchObject({ code: 'upstream_failed', retryAfterMs: 0 });
    });

    it('fails when it hangs, before the first word and after it', async () => {
      upstream.does(() => undefined);
      await expect(ask(model)).rejects.toEqual(failure('timed_out', false));
      upstream.does((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`data: ${JSON.stringify(delta('Hel'))}\n\n`);
      });
      await expect(ask(model)).rejects.toEqual(failure('timed_out', false));
    });

    it('fails with an answer over 1 MiB', async () => {
      upstream.streams([...Array.from({ length: 17 }, () => delta('x'.repeat(65_536))), delta(null, 'stop')]);
      await expect(ask(model)).rejects.toEqual(failure('too_large', false));
    });

    it('fails where it redirects, or is not there', async () => {
      upstream.does((response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());
      await expect(ask(model)).rejects.toEqual(failure('refused', false));
      const gone = await Upstream.start();
      const agent = await make({ ...body, url: gone.url, apiKey: 'k' });
      await gone.stop();
      await expect(ask(agent)).rejects.toEqual(failure('unreachable', true));
    });

    it('is hung up on once the reply is stopped', async () => {
      const stop = new AbortController();
      const broken = new Promise<void>((resolve) => {
        upstream.does((response) => {
          response.once('close', resolve);
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write(`data: ${JSON.stringify(delta('Hel'))}\n\n`, () => stop.abort(new Error('stopped')));
        });
      });
      await expect(ask(model, { signal: stop.signal })).rejects.toThrow('stopped');
      await broken;
    });
  });

  it('is not asked once it is deleted', async () => {
    const agent = await make({});
    await services.app.get(AgentsService).delete(agent);
    await expect(ask(agent)).rejects.toMatchObject({ code: 'agent_disabled' });
  });
});
