import pg from 'pg';
import type { Person } from './people.js';

/** Sends on three connections from well before `work` until well after; gives what was acknowledged before it began. */
export async function writeWhile(author: Person, room: string, work: () => Promise<void>): Promise<string[]> {
  const acknowledged: string[] = [];
  let stop = false;
  let count = 0;
  const sender = async () => {
    while (!stop) {
      const { id } = await author.say(room, `message ${(count += 1)}`);
      acknowledged.push(id);
    }
  };
  const senders = [sender(), sender(), sender()];
  while (acknowledged.length < 50) await new Promise((resolve) => setImmediate(resolve));
  const before = acknowledged.length;
  await work();
  expect(acknowledged.length).toBeGreaterThan(before);
  stop = true;
  await Promise.all(senders);
  return acknowledged.slice(0, before);
}

/** Gives the id of the file. */
export async function upload({ url, token }: Person, content: string): Promise<string> {
  const form = new FormData();
  form.append('file', new Blob([content]), 'notes.bin');
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/api/v1/attachments`, { method: 'POST', headers, body: form });
  return ((await response.json()) as { id: string }).id;
}

export async function sql(url: string, text: string, values: unknown[] = []): Promise<any[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(text, values).finally(() => client.end());
  return rows;
}
