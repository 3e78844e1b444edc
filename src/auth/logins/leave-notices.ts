import type { Database } from '../../platform/database/database.js';
import type { DomainEvent } from '../../platform/events/event.js';

/** Leaves what a command has announced for the nodes that run: each tells it to its own sockets within the second. */
export async function leaveNotices(database: Database, events: readonly DomainEvent[]): Promise<void> {
  await database.query(
    `INSERT INTO account_notices (event) SELECT event FROM json_array_elements($1) WITH ORDINALITY AS e (event, n) ORDER BY n`,
    [JSON.stringify(events)],
  );
}
