import type { Connection } from './connection.js';

/** Within two of these a connection is ended whose other end has gone without a word. */
export const HEARTBEAT_SECONDS = 30;
/** Two pings that are not answered, and the beat that finds it, fit into two heartbeats. */
export const BEAT_MS = (HEARTBEAT_SECONDS * 1000 * 2) / 3;

export function beat(connections: Iterable<Connection>): void {
  for (const connection of connections) {
    if (connection.unansweredPings >= 2) connection.ws.terminate();
    else {
      connection.unansweredPings += 1;
      connection.ws.ping();
    }
  }
}
