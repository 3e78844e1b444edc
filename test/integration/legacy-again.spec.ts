import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { fileURLToPath } from 'node:url';
import { discordFolder, talk } from '../support/discord-export.js';
import { LEGACY, LegacyHouse, MIGRATIONS } from '../support/legacy-commands.js';
import { chatGptFile, slackFiles, slackZip } from '../support/old-exports.js';
import {
  chatSessions,
  communityServers,
  conversations,
  day,
  mongoFolder,
  oid,
  webUi,
  webUiChat,
} from '../support/old-stores.js';
import { createEmptyDatabase, type TestDatabase } from '../support/test-database.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What is otherwise in each run: random ids and the time of the run. */
const VOLATILE = ['import_id', 'updated_at', 'created_at', 'id', 'joined_at'];

describe('every old system, carried again', () => {
  let house: LegacyHouse;
  let servers: TestDatabase;
  const locations: Record<string, string> = {};

  beforeAll(async () => {
    house = await LegacyHouse.open();
    servers = await createEmptyDatabase();
    await communityServers(servers.url);
    Object.assign(locations, {
      'chat-sessions': chatSessions(house.path('b.db'), 3_000),
      conversations: conversations(house.path('d.db')),
      'open-webui': webUi(house.path('webui.db'), {
        'c-1': webUiChat('b', { a: [null, 'user', 'A'], b: ['a', 'assistant', 'B'], c: ['a', 'assistant', 'C'] }),
      }),
      slack: await written(house.path('slack.zip'), slackZip(slackFiles())),
      chatgpt: await chatGptFile(house.path('conversations.json')),
      characters: await mongoFolder(house.path('a'), charactersSessions(), charactersMessages(3_000)),
      'peer-chat': await mongoFolder(house.path('c'), [PEER], [...PEER_MESSAGES]),
      servers: servers.url,
      discord: await discordFolder(house.path('discord'), (messages) => [...messages, ...talk(3_000)]),
    });
  }, 60_000);

  afterAll(async () => {
    await house.close();
    await servers.drop();
  }, 60_000);

  afterEach(() => house.empty(), 60_000);

  const sources = [
    'characters',
    'chat-sessions',
    'peer-chat',
    'conversations',
    'servers',
    'open-webui',
    'chatgpt',
    'slack',
    'discord',
  ];

  it.each(sources)(
    '%s: adds nothing the second time, stays where somebody wrote, and goes without a trace',
    async (from) => {
      const source = locations[from] as string;
      const before = await house.dump();
      const rehearsed = await house.carry(from, source, '--dry-run');
      expect(rehearsed.stdout).toContain('A rehearsal: nothing was written.');
      expect(await house.dump()).toEqual(before);

      const id = await house.carried(from, source);
      const once = await house.dump();
      expect(once.messages?.length).toBeGreaterThan(0);
      const again = await house.carry(from, source);
      expect(again.stdout).toMatch(/message\S*: (\d+) found = 0 to carry \+ \1 carried before \+ 0 rejected/);
      expect(again.stdout).toContain('Nothing new');
      expect(await house.dump()).toEqual(once);

      await house.client.query(
        `WITH room AS (
         UPDATE conversations SET last_seq = last_seq + 1, last_rev = last_rev + 1
         WHERE id = (SELECT id FROM conversations WHERE last_seq > 0 ORDER BY id LIMIT 1) RETURNING *)
       INSERT INTO messages (conversation_id, seq, rev, id, author_id, role, content)
       SELECT room.id, last_seq, last_rev, gen_random_uuid(), (SELECT min(id::text)::uuid FROM users), 'user', 'hers'
       FROM room`,
      );
      const written = await house.dump();
      const refused = await house.legacy('revert', id);
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing was reverted: people have') });
      expect(refused.stderr).toMatch(/conversation \S+: 1 change\(s\), message \S+ by \S+ of/);
      expect(await house.dump()).toEqual(written);
      await house.client.query(
        `WITH gone AS (DELETE FROM messages WHERE content = 'hers' RETURNING conversation_id)
       UPDATE conversations c SET last_seq = last_seq - 1, last_rev = last_rev - 1 FROM gone WHERE c.id = conversation_id`,
      );

      expect((await house.legacy('revert', id)).code).toBe(0);
      expect(await house.dump()).toEqual(before);
    },
    180_000,
  );

  const asImport = (from: string, source: string) => [LEGACY, 'import', '--from', from, '--source', source];
  const killable: [string, number, (from: string, source: string) => string[]][] = [
    ['chat-sessions', 10, asImport],
    ['characters', 3, asImport],
    ['servers', 2, asImport],
    ['discord', 3, asImport],
    ['chat-sessions', 2, () => [MIGRATIONS, 'run']],
  ];

  it.each(killable)(
    '%s: killed at %i random moments and run again it gives the same',
    async (from, times, program) => {
      const source = locations[from] as string;
      const env = {
        ...{ PATH: process.env.PATH, DATABASE_URL: house.database.url },
        ...(program !== asImport && { LEGACY_SQLITE: source }),
      };
      const untilEnd = async (killAfterMs?: number): Promise<NodeJS.Signals | null> => {
        const [command = '', ...args] = program(from, source);
        const child = spawn(process.execPath, [path.join(ROOT, command), ...args], {
          env,
          cwd: house.home,
          stdio: 'ignore',
        });
        const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
        const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
        clearTimeout(timer);
        expect([0, 2, null]).toContain(code);
        return signal;
      };
      const takeOut = async () => {
        if (program !== asImport) return void (await house.migrations('revert'));
        const [row] = await house.rows<{ id: string }>(`SELECT id FROM imports`);
        await house.legacy('revert', row?.id ?? '');
      };

      const before = await house.dump();
      const started = Date.now();
      await untilEnd();
      const duration = Date.now() - started;
      const asOnce = await house.dump(...VOLATILE);
      await takeOut();
      for (let killed = 0; killed < times;) {
        const signal = await untilEnd(duration * (0.1 + 0.8 * Math.random()));
        if (signal && isDeepStrictEqual(await house.dump(), before)) {
          killed += 1;
          continue;
        }
        // It was over, or had committed and not ended yet: then all of it is there.
        expect(await house.dump(...VOLATILE)).toEqual(asOnce);
        await takeOut();
        expect(await house.dump()).toEqual(before);
      }
      await untilEnd();
      expect(await house.dump(...VOLATILE)).toEqual(asOnce);
      expect(await house.rows(`SELECT count(*)::int AS size FROM imports`)).toEqual([{ size: 1 }]);
      await takeOut();
      expect(await house.dump()).toEqual(before);
    },
    300_000,
  );
});

async function written(file: string, content: Buffer): Promise<string> {
  await writeFile(file, content);
  return file;
}

function charactersSessions() {
  return [
    { _id: oid(1), characterId: 'merlin', userId: 'u1', createdAt: day(1), updatedAt: day(2) },
    { _id: oid(2), characterId: 'merlin', userId: 'u2', createdAt: day(1) },
  ];
}

function charactersMessages(size: number) {
  return Array.from({ length: size }, (_, n) => ({
    ...{ _id: oid(1000 + n), sessionId: oid(1 + (n % 2)), role: n % 3 === 0 ? 'user' : 'assistant' },
    ...{ content: `message ${n}`, createdAt: day(1 + (n % 20)) },
  }));
}

const PEER = {
  ...{ _id: oid(1), sessionId: 'peer-1', type: 'peer', userId: 'u1', peerAdvocateId: 'a1', status: 'open' },
  createdAt: day(1),
};

const PEER_MESSAGES = [
  { _id: oid(2), sessionId: 'peer-1', userId: 'u1', role: 'user', source: 'peer', content: 'Help', createdAt: day(2) },
  {
    ...{ _id: oid(3), sessionId: 'peer-1', peerAdvocateId: 'a1', role: 'peer', source: 'peer', content: 'Here' },
    ...{ createdAt: day(3), readAt: day(4) },
  },
];
