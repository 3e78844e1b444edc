import { Agent, request } from 'node:http';
import { WebSocket } from 'ws';
import type { House } from '../support/house.js';
import { word } from '../support/crowd.js';

/** A call of the API, once with each of many different people, rooms and places. */
export interface Call {
  what: string;
  about: string;
  /** Of its p99 in milliseconds. */
  goal: number;
  asks: (() => Promise<void>)[];
}

interface Person {
  id: string;
  token: string;
}

const GOAL_MS = 50;
const PAGE = 50;
const DAY_MS = 86_400_000;
/** Of different people and places for each call. */
const VARIETY = 20;

/** What can be read, of the crowd in this house, and a change of what was said. */
export async function callsOf(house: House): Promise<Call[]> {
  const { dataSource } = house;
  const ids = async (sql: string, values: unknown[] = []): Promise<string[]> => {
    const rows = await dataSource.query<{ id: string }[]>(sql, values);
    return rows.map(({ id }) => id);
  };
  const signedIn = async (sql: string, values: unknown[] = []): Promise<Person[]> =>
    Promise.all((await ids(sql, values)).map(async (id) => ({ id, token: await house.signIn(id) })));

  const [busiest = ''] = await ids(`SELECT id FROM conversations ORDER BY last_seq DESC LIMIT 1`);
  const [biggest = ''] = await ids(`SELECT server_id AS id FROM channels WHERE id = $1`, [busiest]);
  const [room] = await dataSource.query<{ lastSeq: number; lastRev: number }[]>(
    `SELECT last_seq AS "lastSeq", last_rev AS "lastRev" FROM conversations WHERE id = $1`,
    [busiest],
  );
  const { lastSeq = 0, lastRev = 0 } = room ?? {};
  const busy = await signedIn(
    `SELECT user_id AS id FROM memberships GROUP BY user_id HAVING count(*) <= 10 ORDER BY count(*) DESC, user_id LIMIT ${VARIETY}`,
  );
  const [admin] = await signedIn(`SELECT user_id AS id FROM memberships WHERE server_id = $1 AND role = 'ADMIN'`, [
    biggest,
  ]);
  if (!admin || busy.length === 0) throw new Error('the crowd is too small');
  const messageWhere = async (condition: string) =>
    ids(`SELECT id FROM messages m WHERE conversation_id = $1 AND ${condition} ORDER BY seq DESC LIMIT ${VARIETY}`, [
      busiest,
    ]);
  const reacted = await messageWhere('reactions IS NOT NULL AND seq > 0');
  const edited = await messageWhere('edited_at IS NOT NULL AND author_id IS NOT NULL');
  const threads = await ids(`SELECT id FROM threads WHERE parent_id = $1 LIMIT ${VARIETY}`, [busiest]);
  const members = await ids(`SELECT user_id AS id FROM memberships WHERE server_id = $1 ORDER BY user_id`, [biggest]);
  const audited = await ids(`SELECT id FROM audit_log WHERE server_id = $1 ORDER BY id DESC`, [biggest]);
  const sessions = await dataSource.query<{ id: string; ownerId: string }[]>(
    `SELECT id, owner_id AS "ownerId" FROM sessions WHERE type = 'peer' ORDER BY id LIMIT ${VARIETY}`,
  );
  const owners = await Promise.all(
    sessions.map(async ({ id, ownerId }) => ({ id, token: await house.signIn(ownerId) })),
  );

  const calls: Call[] = [];
  const answer = async (token: string, path: string): Promise<string> => {
    const response = await fetch(`${house.app.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } });
    const body = await response.text();
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${body}`);
    return body;
  };
  const write = async (method: string, token: string, path: string, body: object): Promise<{ id: string }> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(`${house.app.url}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return (await response.json()) as { id: string };
  };
  const ask = (token: string, path: string) => drain(`${house.app.url}/api/v1${path}`, token);
  const add = (what: string, about: string, asks: (() => Promise<void>)[], goal = GOAL_MS) =>
    calls.push({ what: what.split('?')[0] ?? what, about, goal, asks });
  /** Each of the busy people asks for the same kind of thing. */
  const get = (what: string, about: string, pathFor: (i: number) => string, goal?: number) =>
    add(
      what,
      about,
      busy.map(
        ({ token }, i) =>
          () =>
            ask(token, pathFor(i)),
      ),
      goal,
    );
  const getAsAdmin = (what: string, about: string, path: string) => add(what, about, [() => ask(admin.token, path)]);
  const some = (list: string[], i: number) => list[i % list.length] ?? '';
  const messages = `/conversations/${busiest}/messages`;
  const deep = lastSeq - 9_999 * PAGE;

  get('GET /conversations', 'first page, of a person in 200 channels', () => `/conversations?limit=100`);
  get('GET /conversations', 'of a kind', () => `/conversations?kind=direct`);
  get('GET /conversations/{id}', 'one of them', () => `/conversations/${busiest}`);
  add(
    'ready',
    'all counters, on a new socket',
    busy.map(
      ({ token }) =>
        () =>
          untilReady(house, token),
    ),
    100,
  );
  get('GET /conversations/{id}/messages', 'newest page', () => messages);
  get('GET /conversations/{id}/messages', 'page 10,000', (i) => `${messages}?before=${Math.max(PAGE, deep - i)}`);
  get('GET /conversations/{id}/messages', 'the first page of all', (i) => `${messages}?after=${i}`);
  get('GET /conversations/{id}/messages', 'around', (i) => `${messages}?around=${Math.floor(lastSeq / (i + 2))}`);
  get('GET /conversations/{id}/messages', 'of a thread', (i) => `/conversations/${some(threads, i)}/messages`);
  add(
    'GET /conversations/{id}/messages',
    'of a peer session, with times of reading',
    owners.map(
      ({ id, token }) =>
        () =>
          ask(token, `/conversations/${id}/messages`),
    ),
  );
  get(
    'GET /conversations/{id}/changes',
    'the newest (also `sync`)',
    (i) => `/conversations/${busiest}/changes?after=${lastRev - 20 - i}`,
  );
  get('GET /conversations/{id}/changes', 'from long ago', (i) => `/conversations/${busiest}/changes?after=${1000 * i}`);
  get('GET /conversations/{id}/pins', '', () => `/conversations/${busiest}/pins`);
  get(
    'GET /conversations/{id}/messages/{id}/reactions/{emoji}',
    'who chose it, of 10,000',
    () => `${messages}/${some(reacted, 0)}/reactions/${encodeURIComponent('👍')}`,
  );
  add(
    'GET /conversations/{id}/messages/{id}/revisions',
    'for a moderator',
    edited.map((id) => () => ask(admin.token, `${messages}/${id}/revisions`)),
  );
  let edits = 0;
  const edit = async ({ token }: Person) => {
    const { id } = await write('POST', token, messages, { content: 'said here' });
    return async () => void (await write('PATCH', token, `${messages}/${id}`, { content: `edited ${(edits += 1)}` }));
  };
  add('PATCH /conversations/{id}/messages/{id}', 'in the biggest room', await Promise.all(busy.map(edit)));
  get('GET /conversations/{id}/threads', 'of 2,000', () => `/conversations/${busiest}/threads`);
  get('GET /conversations/{id}/notifications', '', () => `/conversations/${busiest}/notifications`);

  get('GET /servers', 'mine', () => `/servers`);
  get('GET /servers/{id}', 'with its channels', () => `/servers/${biggest}`);
  get('GET /servers/{id}/channels', '', () => `/servers/${biggest}/channels`);
  get('GET /servers/{id}/members', 'of 10,000', () => `/servers/${biggest}/members`);
  get(
    'GET /servers/{id}/members',
    'a late page',
    (i) => `/servers/${biggest}/members?cursor=${cursor(some(members, members.length - 100 - i))}`,
  );
  getAsAdmin('GET /servers/{id}/audit', '', `/servers/${biggest}/audit`);
  getAsAdmin(
    'GET /servers/{id}/audit',
    'a late page',
    `/servers/${biggest}/audit?cursor=${cursor(some(audited, audited.length - 100))}`,
  );
  getAsAdmin('GET /servers/{id}/invites', '', `/servers/${biggest}/invites`);
  getAsAdmin('GET /servers/{id}/bans', '', `/servers/${biggest}/bans`);
  get('GET /directs', '', () => `/directs`);
  get('GET /sessions', '', () => `/sessions`);
  get('GET /users', 'by the beginning of a name', (i) => `/users?q=user${i + 1}`);

  const search = (about: string, q: string, more = '') =>
    get('GET /search', about, () => `/search?q=${encodeURIComponent(q)}${more}`);
  /** Behind the page that begins a hundred days ago. */
  const searchFurther = async (about: string, q: string, rank: string) => {
    const path = `/search?q=${encodeURIComponent(q)}&cursor=`;
    const day = new Date(Date.now() - 100 * DAY_MS).toISOString();
    const asks = busy.map(async ({ token }) => {
      const page = JSON.parse(await answer(token, path + cursor(rank, day, busiest, day))) as { nextCursor: string };
      return () => ask(token, path + page.nextCursor);
    });
    add('GET /search', about, await Promise.all(asks));
  };
  search('the most frequent word', word(1));
  search('a frequent word', word(90));
  search('a word of middle frequency', word(1500));
  search('a rare word', word(15_000));
  search('a word that nobody said', 'xylophone');
  search('two words', `${word(120)} ${word(300)}`);
  search('a part of words', word(1500).slice(1, 5));
  search('Chinese', '全文');
  search('in one conversation', word(1500), `&in=${busiest}`);
  search('of one person', word(90), `&from=${some(members, 7)}`);
  search('with files', word(90), '&has=attachment');
  search('a phrase of frequent words', `"${word(120)} ${word(90)}"`);
  await searchFurther('a late page of the most frequent word', word(1), 'words');
  await searchFurther('a late page of a frequent word', word(90), 'words');
  await searchFurther('a late page of a part of words', word(1500).slice(1, 5), 'parts');
  return calls;
}

const agent = new Agent({ keepAlive: true });

/** Reads an answer and keeps nothing of it: what fetch leaves behind has the garbage collector pause the one who measures. */
function drain(url: string, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url} answered ${String(response.statusCode)}`));
      response.on('end', resolve).resume();
    });
    call.on('error', reject).end();
  });
}

function cursor(...keys: (string | number)[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url');
}

function untilReady({ app }: House, token: string): Promise<void> {
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/api/v1/realtime`, ['parley.v1', `bearer.${token}`]);
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('message', () => {
      socket.terminate();
      resolve();
    });
  });
}
