import { defineEvent } from '../platform/events/event.js';

/** These logins are over. `accessEnded`: signing in again would not help, the account is switched off or gone. */
export const LoginEnded = defineEvent<{ userId: string; loginIds: string[]; accessEnded: boolean }>('login.ended');

/** A notice, for this node alone: somebody is no longer a member of the server, whichever node or command did it. */
export const ServerLost = defineEvent<{ userId: string; serverId: string }>('server.lost', 'here');

/** For this node alone: everything that was noted until `before`, on the clock of `performance.now`, has been told. */
export const NoticesRead = defineEvent<{ before: number }>('notices.read', 'here');

/** The profile or the rights of somebody changed. */
export const AccountChanged = defineEvent<{ userId: string }>('account.changed');
