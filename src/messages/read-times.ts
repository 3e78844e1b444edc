import type { QueryResultRow } from 'pg';
import type { Room } from '../access/facts.js';
import type { MessageRow } from './message.presenter.js';

interface Reading {
  query<Row extends QueryResultRow>(sql: string, values: unknown[]): Promise<Row[]>;
}

/** Of a message `m` in the room `room`, as `read."readAt"`: when the other side of a peer session had read it. */
export const READ_TIME = `
  LEFT JOIN LATERAL (
    SELECT t.read_at AS "readAt" FROM read_times t
    WHERE room.kind = 'session' AND m.role IN ('user', 'peer')
      AND t.conversation_id = m.conversation_id AND t.by_owner = (m.role <> 'user') AND t.seq >= m.seq
    ORDER BY t.seq LIMIT 1
  ) AS read ON true`;

/**
 * Gives the messages of a peer session with the time at which the other side had read them, and those of other rooms
 * as they are. One look into an index for each message.
 */
export async function withReadTimes<Row extends Pick<MessageRow, 'seq' | 'role' | 'readAt'>>(
  reading: Reading,
  room: Room,
  messages: Row[],
): Promise<Row[]> {
  if (room.kind !== 'session' || room.agentId !== null) return messages;
  const said = messages.filter(({ role }) => role === 'user' || role === 'peer');
  if (said.length === 0) return messages;
  const rows = await reading.query<{ seq: number; readAt: Date }>(
    `SELECT said.seq, step.read_at AS "readAt"
     FROM unnest($2::bigint[], $3::boolean[]) AS said (seq, by_owner)
     CROSS JOIN LATERAL (
       SELECT read_at FROM read_times t
       WHERE t.conversation_id = $1 AND t.by_owner = NOT said.by_owner AND t.seq >= said.seq
       ORDER BY t.seq LIMIT 1
     ) AS step`,
    [room.id, said.map(({ seq }) => seq), said.map(({ role }) => role === 'user')],
  );
  const times = new Map(rows.map(({ seq, readAt }) => [seq, readAt]));
  return messages.map((message) => ({ ...message, readAt: times.get(message.seq) ?? null }));
}
