import type { Role } from '../servers/memberships/membership.entity.js';
import type { Standing } from './facts.js';

/**
 * `moderate` is deleting what others wrote; `pin` keeps it at hand; `clear` empties the room; `close` ends a session and
 * opens it again; `help` is handing it back or on; `own` is renaming and deleting it.
 */
export const ACTIONS = ['read', 'write', 'pin', 'moderate', 'clear', 'close', 'help', 'own'] as const;
export type Action = (typeof ACTIONS)[number];

/** `hide` answers as if it did not exist; `forbid` says that one may see it but not do this. */
export type Verdict = 'allow' | 'forbid' | 'hide';

const MAY: Record<Exclude<Standing, 'stranger'>, readonly Action[]> = {
  owner: ['read', 'write', 'pin', 'moderate', 'clear', 'close', 'own'],
  advocate: ['read', 'write', 'close', 'help'],
  participant: ['read', 'write', 'pin'],
  MEMBER: ['read', 'write'],
  MODERATOR: ['read', 'write', 'pin', 'moderate'],
  ADMIN: ['read', 'write', 'pin', 'moderate', 'own'],
};

/** What may be done in a room by somebody of this standing. */
export function verdict(standing: Standing, action: Action): Verdict {
  if (standing === 'stranger') return 'hide';
  return MAY[standing].includes(action) ? 'allow' : 'forbid';
}

export const SERVER_ACTIONS = [
  'see',
  'change-server',
  'change-channels',
  'add-member',
  'remove-member',
  'ban-member',
  'invite',
  'read-audit',
  'change-role',
  'leave',
] as const;
export type ServerAction = (typeof SERVER_ACTIONS)[number];

const NEEDS: Record<ServerAction, Role> = {
  see: 'MEMBER',
  leave: 'MEMBER',
  'add-member': 'MODERATOR',
  'remove-member': 'MODERATOR',
  'ban-member': 'MODERATOR',
  invite: 'MODERATOR',
  'read-audit': 'ADMIN',
  'change-server': 'ADMIN',
  'change-channels': 'ADMIN',
  'change-role': 'ADMIN',
};

const RANK: Record<Role, number> = { MEMBER: 1, MODERATOR: 2, ADMIN: 3 };

/**
 * What may be done in a server. `target` is the role that is acted on: that of the person, or the one to be given.
 * Nobody acts on a role equal to or above their own, save that an ADMIN may change the role of an ADMIN.
 */
export function serverVerdict(role: Role | null, action: ServerAction, target?: Role): Verdict {
  if (!role) return 'hide';
  if (RANK[role] < RANK[NEEDS[action]]) return 'forbid';
  if (target === undefined || RANK[target] < RANK[role]) return 'allow';
  return action === 'change-role' || (action === 'add-member' && role === 'ADMIN') ? 'allow' : 'forbid';
}
