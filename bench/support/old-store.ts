import Database from 'libsql';

export interface OldStore {
  people: number;
  sessions: number;
  messages: number;
}

const WORDS = 20_000;

/**
 * Writes an SQLite file of the old chat sessions backend: people with sessions, and messages dealt to these in turn.
 * Words follow Zipf's law, and every hundredth message is Chinese. The same sizes always give the same rows.
 */
export function makeOldStore(file: string, { people, sessions, messages }: OldStore): void {
  const database = new Database(file);
  try {
    database.exec(`
      CREATE TABLE user (id INTEGER PRIMARY KEY, username TEXT, email TEXT, created_at DATETIME);
      CREATE TABLE chat_session (id INTEGER PRIMARY KEY, title TEXT NOT NULL, created_at DATETIME, updated_at DATETIME,
        owner_id INTEGER NOT NULL);
      CREATE TABLE chat_message (id INTEGER PRIMARY KEY, content TEXT, is_user_message BOOLEAN, created_at DATETIME,
        session_id INTEGER);
      BEGIN`);
    const person = database.prepare(`INSERT INTO user VALUES (?, ?, ?, '2024-01-01')`);
    for (let n = 1; n <= people; n += 1) person.run([n, `person${n}`, `person${n}@example.org`]);
    const session = database.prepare(`INSERT INTO chat_session VALUES (?, ?, '2024-01-02', '2024-01-02', ?)`);
    for (let n = 1; n <= sessions; n += 1) session.run([n, `Session ${n}`, 1 + (n % people)]);
    const message = database.prepare(`INSERT INTO chat_message VALUES (?, ?, ?, datetime(?, 'unixepoch'), ?)`);
    const random = numbers(25);
    for (let n = 1; n <= messages; n += 1) {
      message.run([n, textOf(n, random), n % 2, 1_704_153_600 + n * 30, 1 + (n % sessions)]);
    }
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}

function textOf(n: number, random: () => number): string {
  if (n % 100 === 0) return `今天我们在频道 ${n} 讨论全文搜索`;
  const words = Array.from({ length: 3 + (n % 25) }, () => word(Math.floor(Math.exp(random() * Math.log(WORDS)))));
  return words.join(' ');
}

/** Common words have one syllable, all others three; no two are alike. */
function word(n: number): string {
  if (n <= 80) return syllable(n % 80);
  const spread = n * 7919;
  return syllable(spread % 80) + syllable(Math.floor(spread / 80) % 80) + syllable(Math.floor(spread / 6400) % 80);
}

function syllable(digit: number): string {
  return 'bcdfghklmnprstvz'.charAt(digit % 16) + 'aeiou'.charAt(Math.floor(digit / 16) % 5);
}

/** Numbers from 0 to 1 that are the same in every run (Lehmer's generator). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
