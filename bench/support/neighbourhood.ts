import { v7 as uuidv7 } from 'uuid';
import type { House } from './house.js';
import { insertMembers, insertRooms } from './rooms.js';

export interface Neighbourhood {
  tokens: string[];
  /** The members are places in `tokens`. */
  rooms: { id: string; members: number[] }[];
}

/** People who are each in some of many rooms of 10 to 50, every room in a server of its own. */
export async function makeNeighbourhood(house: House, people: number, rooms: number): Promise<Neighbourhood> {
  const { tokens } = await house.server(people, 1);
  const userIds = tokens.map(userIdOf);
  const made = Array.from({ length: rooms }, (_, n) => ({
    id: uuidv7(),
    serverId: uuidv7(),
    members: shuffled(people).slice(0, 10 + ((n * 7) % 41)),
  }));
  await insertRooms(house.dataSource, made);
  await insertMembers(
    house.dataSource,
    made.flatMap(({ serverId, members }) => members.map((place) => ({ serverId, userId: userIds[place] as string }))),
  );
  return { tokens, rooms: made.map(({ id, members }) => ({ id, members })) };
}

/** Puts messages into each of these rooms, all in SQL. */
export async function fillRooms(house: House, roomIds: string[], each: number, authorId: string): Promise<void> {
  await house.dataSource.query(
    `INSERT INTO messages (conversation_id, seq, id, rev, author_id, role, content)
     SELECT room, n, uuidv7(), n, $3, 'user', 'hello there, nr ' || n
     FROM unnest($1::uuid[]) room CROSS JOIN generate_series(1, $2::int) n`,
    [roomIds, each, authorId],
  );
  await house.dataSource.query(
    `UPDATE conversations SET last_seq = $2, last_rev = $2, last_message_at = now() WHERE id = ANY($1::uuid[])`,
    [roomIds, each],
  );
  await house.dataSource.query(`ANALYZE messages, conversations`);
}

/** Whom an access token stands for. */
export function userIdOf(token: string): string {
  const [, claims = ''] = token.split('.');
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub: string }).sub;
}

function shuffled(count: number): number[] {
  const places = Array.from({ length: count }, (_, n) => n);
  for (let n = count - 1; n > 0; n -= 1) {
    const other = Math.floor(Math.random() * (n + 1));
    [places[n], places[other]] = [places[other] as number, places[n] as number];
  }
  return places;
}
