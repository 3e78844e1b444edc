import type pg from 'pg';
import type { Api } from './api.js';
import type { Fate, Ledger, Said } from './ledger.js';
import type { Heard, Mirror, View } from './mirror.js';
import type { Places } from './person.js';

interface Row {
  room: string;
  id: string;
  seq: number;
  rev: number;
  nonce: string | null;
  authorId: string | null;
  content: string | null;
  earlier: string[];
}

interface Head {
  id: string;
  seq: number;
  rev: number;
  clearedSeq: number;
}

/** Everything acknowledged is in the database exactly once, and the counters have no hole. Gives what is wrong. */
export async function checkDatabase(database: pg.Client, ledger: Ledger, rooms: readonly string[]): Promise<string[]> {
  const { rows } = await database.query<Row>(
    `SELECT m.conversation_id AS room, m.id, m.seq::int, m.rev::int, m.nonce, m.author_id AS "authorId", m.content,
       coalesce(array_agg(r.content) FILTER (WHERE r.content IS NOT NULL), '{}') AS earlier
     FROM messages m LEFT JOIN message_revisions r ON r.conversation_id = m.conversation_id AND r.message_id = m.id
     WHERE m.conversation_id = ANY($1) GROUP BY m.conversation_id, m.seq ORDER BY m.conversation_id, m.seq`,
    [rooms],
  );
  const heads = await database.query<Head>(
    `SELECT id, last_seq::int AS seq, last_rev::int AS rev, cleared_seq::int AS "clearedSeq"
     FROM conversations WHERE id = ANY($1)`,
    [rooms],
  );
  const byNonce = new Map<string, Row[]>();
  for (const row of rows.filter(({ authorId }) => authorId !== null)) {
    const key = `${row.authorId} ${row.nonce}`;
    byNonce.set(key, [...(byNonce.get(key) ?? []), row]);
  }
  const known = new Set(ledger.said.map(({ author, nonce }) => `${author} ${nonce}`));
  return [
    ...heads.rows.flatMap((head) =>
      checkCounters(
        head,
        rows.filter(({ room }) => room === head.id),
      ),
    ),
    ...ledger.said.flatMap((said) => {
      const head = heads.rows.find(({ id }) => id === said.room);
      const isCleared = (said.message?.seq ?? Infinity) <= (head?.clearedSeq ?? Infinity);
      const isBefore = (said.acknowledged ?? Infinity) < (ledger.cleared.get(said.room) ?? -Infinity);
      return checkSaid(said, byNonce.get(`${said.author} ${said.nonce}`) ?? [], isCleared || isBefore);
    }),
    ...[...byNonce.keys()].filter((key) => !known.has(key)).map((key) => `nobody said ${key}`),
    ...(await checkReactions(
      database,
      ledger,
      rows.map(({ id }) => id),
    )),
    ...(await checkMemberships(database, ledger)),
  ];
}

function checkCounters({ id, seq, rev, clearedSeq }: Head, rows: Row[]): string[] {
  const wrong: string[] = [];
  if (rows.some((row, i) => row.seq !== clearedSeq + i + 1)) wrong.push(`${id} has a hole in seq`);
  if (rows.length !== seq - clearedSeq) wrong.push(`${id} counts ${seq} messages and has ${rows.length}`);
  if (new Set(rows.map((row) => row.rev)).size !== rows.length) wrong.push(`${id} has a rev twice`);
  if (rows.length > 0 && Math.max(...rows.map((row) => row.rev)) !== rev)
    wrong.push(`${id} counts rev ${rev}, which is nowhere`);
  return wrong;
}

/** Where its room was cleared since, or was a thread and is gone, it must not be there. */
function checkSaid(said: Said, rows: Row[], isCleared: boolean): string[] {
  const { nonce, room, content, fate, message, edits, deletion } = said;
  const [row] = rows;
  if (rows.length > 1) return [`${nonce} is there ${rows.length} times`];
  if (row && isCleared) return [`${nonce} was cleared and is there`];
  if (!row) return fate.end === 'done' && !isCleared ? [`${nonce} was acknowledged and is not there`] : [];
  if (fate.end === 'refused' && !fate.unsure) return [`${nonce} was refused and is there`];
  const wrong: string[] = [];
  if (row.room !== room) wrong.push(`${nonce} is in another room`);
  if (message && (row.id !== message.id || row.seq !== message.seq))
    wrong.push(`${nonce} is not what was acknowledged`);
  if (deletion) {
    if (deletion.end === 'done' && row.content !== null) wrong.push(`${nonce} was deleted and has a text`);
    if (deletion.end === 'refused' && !deletion.unsure && row.content === null) wrong.push(`${nonce} was not deleted`);
  } else if (row.content === null) wrong.push(`${nonce} was deleted by nobody`);
  if (row.content === null) return wrong;
  const versions = [...row.earlier, row.content];
  for (const edit of edits) {
    if (edit.fate.end === 'done' && !versions.includes(edit.content)) wrong.push(`${nonce} lost an edit`);
  }
  // An attempt that nobody heard of again may come after a later one.
  const last = edits.findLast(({ fate: { end } }) => end === 'done')?.content ?? content;
  const late = edits.filter(({ fate: { unsure } }) => unsure).map((edit) => edit.content);
  if (![last, ...late].includes(row.content)) wrong.push(`${nonce} says "${row.content}" and not "${last}"`);
  return wrong;
}

/** `messages`: those that are there. */
async function checkReactions(database: pg.Client, ledger: Ledger, messages: string[]): Promise<string[]> {
  const { rows } = await database.query<{ key: string }>(
    `SELECT r.message_id || ' ' || r.user_id || ' ' || r.emoji AS key
     FROM reactions r JOIN messages m ON m.conversation_id = r.conversation_id AND m.id = r.message_id`,
  );
  const there = new Set(rows.map(({ key }) => key));
  const deleted = new Set(ledger.said.filter(({ deletion }) => deletion).map(({ message }) => message?.id));
  const present = new Set(messages);
  return [...ledger.reactions].flatMap(([key, { messageId, acts }]) => {
    if (deleted.has(messageId) || !present.has(messageId) || acts.some(({ fate }) => fate.unsure)) return [];
    const wanted = acts.findLast(({ fate }) => fate.end === 'done')?.on ?? false;
    return wanted === there.has(key) ? [] : [`the reaction ${key} should ${wanted ? '' : 'not '}be there`];
  });
}

/** How many replies wait or run. */
export function openReplies(database: pg.Client): Promise<number> {
  return countReplies(database, ['waiting', 'running']);
}

export function repliesDone(database: pg.Client): Promise<number> {
  return countReplies(database, ['done']);
}

async function countReplies(database: pg.Client, statuses: string[]): Promise<number> {
  const { rowCount } = await database.query(`SELECT 1 FROM replies WHERE status = ANY($1)`, [statuses]);
  return rowCount ?? 0;
}

/** Whoever asked last is answered, and nothing is answered twice. */
export async function checkReplies(database: pg.Client): Promise<string[]> {
  const { rows: unanswered } = await database.query<{ id: string }>(
    `SELECT DISTINCT ON (s.id) m.id FROM sessions s JOIN messages m ON m.conversation_id = s.id AND m.role = 'user'
       LEFT JOIN replies r ON r.session_id = s.id AND r.asked_id = m.id AND r.status = 'done'
     WHERE s.type = 'agent' AND r.id IS NULL AND NOT EXISTS (
       SELECT 1 FROM messages newer WHERE newer.conversation_id = s.id AND newer.role = 'user' AND newer.seq > m.seq)`,
  );
  const { rows: doubled } = await database.query<{ id: string }>(
    `SELECT metadata ->> 'replyId' AS id FROM messages WHERE role = 'agent' GROUP BY 1 HAVING count(*) > 1`,
  );
  return [
    ...unanswered.map(({ id }) => `${id} was never answered`),
    ...doubled.map(({ id }) => `${id} was answered twice`),
  ];
}

async function checkMemberships(database: pg.Client, ledger: Ledger): Promise<string[]> {
  const { rows } = await database.query<{ key: string }>(
    `SELECT server_id || ' ' || user_id AS key FROM memberships
     UNION ALL SELECT id || ' ' || advocate_id FROM sessions WHERE advocate_id IS NOT NULL`,
  );
  const there = new Set(rows.map(({ key }) => key));
  return [...ledger.memberships].flatMap(([key, steps]) => {
    const last = steps.findLast(({ fate }) => fate.end === 'done');
    if (!last || steps.some(({ fate }) => isDoubtful(fate))) return [];
    return (last.kind === 'add') === there.has(key) ? [] : [`the membership ${key} is not what was acknowledged`];
  });
}

/** An attempt whose answer was lost may be carried out after everything else. */
function isDoubtful({ unsure, end }: Fate): boolean {
  return unsure || end === 'unknown';
}

const PROMISED_MS = 1_000;

/**
 * Nobody hears what happened more than a second after their removal was acknowledged, until they are let in again. A
 * node that is stopped, or whose database is, cannot learn of it in that time: as much is added.
 */
export function checkRemovals(
  userId: string,
  heard: readonly Heard[],
  { memberships }: Ledger,
  { servers, sessions }: Places,
  away: readonly { from: number; to: number }[],
): string[] {
  return [...memberships].flatMap(([key, steps]) => {
    const [placeId, who] = key.split(' ');
    if (who !== userId) return [];
    const rooms = [...servers, ...sessions].find(({ id }) => id === placeId)?.rooms ?? [];
    const theirs = heard.filter(({ conversationId }) => rooms.includes(conversationId));
    return steps.flatMap(({ kind, fate, ended }, i) => {
      const doubtful = steps.slice(0, i + 1).some((step) => isDoubtful(step.fate));
      if (kind !== 'remove' || fate.end !== 'done' || doubtful) return [];
      const until = steps[i + 1]?.begun ?? Infinity;
      const late = theirs.filter(({ happened, heard: at }) => {
        const excused = away
          .filter(({ from, to }) => to > ended && from < happened)
          .reduce((sum, { from, to }) => sum + Math.max(0, Math.min(to, happened) - Math.max(from, ended)), 0);
        // A reaction that is heard after they came back shows the time of an edit before it.
        return at < until && happened > ended + PROMISED_MS + excused;
      });
      return late.map(({ what, happened }) => `${userId} heard ${what}, ${happened - ended} ms after their removal`);
    });
  });
}

/** What the client holds is what a fresh load gives. */
export async function checkMirror(name: string, mirror: Mirror, api: Api): Promise<string[]> {
  const fresh = (await api.get('/conversations?limit=100')).body as { items: { id: string; rev: number }[] };
  const wrong: string[] = [];
  const ids = new Set(fresh.items.map(({ id }) => id));
  for (const id of mirror.rooms.keys()) if (!ids.has(id)) wrong.push(`${name} still holds ${id}`);
  for (const { id, rev } of fresh.items) {
    const room = mirror.rooms.get(id);
    if (!room) wrong.push(`${name} does not know ${id}`);
    else if (room.rev !== rev) wrong.push(`${name} has ${id} at ${room.rev} and not ${rev}`);
    else {
      const present = (await everything(api, id)).filter((message) => message.rev > room.from);
      wrong.push(...differences(`${name} ${id}`, room.messages, present));
    }
  }
  return wrong;
}

async function everything(api: Api, id: string): Promise<View[]> {
  const all: View[] = [];
  for (;;) {
    const { items } = (await api.get(`/conversations/${id}/messages?limit=100&after=${all.at(-1)?.seq ?? 0}`)).body as {
      items: View[];
    };
    all.push(...items);
    if (items.length < 100) return all;
  }
}

function differences(where: string, held: ReadonlyMap<string, View>, present: View[]): string[] {
  const told = present.flatMap((message) => {
    const mine = held.get(message.id);
    if (!mine) return [`${where} lacks ${message.nonce}`];
    return essence(mine) === essence(message) ? [] : [`${where} holds ${essence(mine)} and not ${essence(message)}`];
  });
  return held.size === present.length ? told : [...told, `${where} holds ${held.size} of ${present.length} messages`];
}

function essence({ seq, rev, content, editedAt, deletedAt, reactions }: View): string {
  const sorted = reactions.map(({ emoji, count, me }) => `${emoji}${count}${me ? '*' : ''}`).sort();
  return JSON.stringify([seq, rev, content, editedAt, deletedAt, sorted]);
}
