/** How often the server pings; two pings without a sign of life end a connection. */
export const HEARTBEAT_SECONDS = 30;
