/** Why the server closes a socket (realtime protocol). Below 4000 they are those of RFC 6455. */
export const CLOSE = {
  internal: 1011,
  restarting: 1012,
  signInAgain: 4001,
  accessEnded: 4003,
  tooSlow: 4008,
  tooManyErrors: 4009,
} as const;
