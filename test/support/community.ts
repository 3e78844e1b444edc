import pg from 'pg';
import { type Answer, type Person, person, serverOf } from './people.js';
import { runApp, type RunningApp } from './run-app.js';
import { createTestDatabase } from './test-database.js';

export const THUMB = encodeURIComponent('👍');

/** A running app on a database of its own, with one server. */
export interface Community {
  app: RunningApp;
  serverId: string;
  /** Its `general` channel. */
  room: string;
  /** ADMIN, MODERATOR and MEMBER of the server. */
  ada: Person;
  mod: Person;
  bob: Person;
  /** Was in the server, and is no more. */
  past: Person;
  /** Never was. */
  eve: Person;
  query(sql: string): Promise<any[]>;
  close(): Promise<void>;
}

export async function openCommunity(): Promise<Community> {
  const database = await createTestDatabase();
  const app = await runApp({ DATABASE_URL: database.url, RATE_LIMIT: 'off' });
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const [ada, mod, bob, past, eve] = (await Promise.all(
    ['ada', 'mod', 'bob', 'past', 'eve'].map((name) => person(app.url, name)),
  )) as [Person, Person, Person, Person, Person];
  const { id: serverId, general: room } = await serverOf(ada, bob, past);
  await ada.post(`/servers/${serverId}/members`, { userId: mod.id, role: 'MODERATOR' });
  await ada.delete(`/servers/${serverId}/members/${past.id}`);
  return {
    ...{ app, serverId, room, ada, mod, bob, past, eve },
    query: async (sql) => (await client.query(sql)).rows,
    close: async () => {
      await client.end();
      await app.stop();
      await database.drop();
    },
  };
}

/** The path of a message, or of what is done with it. */
export function at(conversationId: string, messageId: string, rest = ''): string {
  return `/conversations/${conversationId}/messages/${messageId}${rest}`;
}

/** One of the newest hundred messages of a room, as this reader has it. */
export async function messageAs(who: Person, conversationId: string, id: string): Promise<any> {
  const { body } = await who.get(`/conversations/${conversationId}/messages?limit=100`);
  return body.items.find((each: { id: string }) => each.id === id);
}

export function statuses(answers: Answer[]): number[] {
  return answers.map(({ status }) => status);
}
