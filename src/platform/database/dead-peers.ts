import type { ClientBase, QueryConfig } from 'pg';

/**
 * A machine that loses its power or its network says no goodbye. Left to themselves both ends ask after two hours, and so
 * long PostgreSQL would keep what a transaction of it had locked, and this node would think that it is known to be there.
 */
export const ASK_EARLY = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };

/** PostgreSQL's side of it: after 25 s without an answer the connection ends, and what it held is free. */
export async function giveUpEarly(client: ClientBase): Promise<void> {
  const text = `SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = 25000`;
  await client.query({ text, query_timeout: 5_000 } as QueryConfig);
}
