import { type Facts, type Standing, standingOf } from './facts.js';
import { ACTIONS, SERVER_ACTIONS, serverVerdict, verdict } from './verdict.js';

const a = 'allow';
const f = 'forbid';
const h = 'hide';

describe('what may be done in a room', () => {
  //                              read write pin moderate clear own
  const table: [Standing, ...string[]][] = [
    ['stranger', h, h, h, h, h, h],
    ['owner', a, a, a, a, a, a],
    ['advocate', a, a, f, f, f, f],
    ['participant', a, a, a, f, f, f],
    ['MEMBER', a, a, f, f, f, f],
    ['MODERATOR', a, a, a, a, f, f],
    ['ADMIN', a, a, a, a, f, a],
  ];
  const columns = ['read', 'write', 'pin', 'moderate', 'clear', 'own'] as const;

  it('has a row for each standing and a column for each action', () => {
    expect([...columns]).toEqual([...ACTIONS]);
  });

  it.each(table)('is decided for a %s', (standing, ...expected) => {
    expect(columns.map((action) => verdict(standing, action))).toEqual(expected);
  });
});

describe('what somebody is to a room', () => {
  const room = { id: 'r', serverId: null, ownerId: null, advocateId: null, agentId: null };
  const session = { ...room, kind: 'session' as const, ownerId: 'ada', advocateId: 'bob' };
  const channel = { ...room, kind: 'channel' as const, serverId: 's' };

  it.each<[string, Facts, string, Standing]>([
    ['the owner of a session', { room: session, role: null }, 'ada', 'owner'],
    ['its advocate', { room: session, role: null }, 'bob', 'advocate'],
    ['anybody else, an administrator of the house too', { room: session, role: null }, 'eve', 'stranger'],
    ['a member of the server', { room: channel, role: 'MEMBER' }, 'ada', 'MEMBER'],
    ['an ADMIN of the server', { room: channel, role: 'ADMIN' }, 'ada', 'ADMIN'],
    ['somebody banned, or past, who has no role left', { room: channel, role: null }, 'ada', 'stranger'],
    ['a role where there is no server to have it in', { room: session, role: 'ADMIN' }, 'eve', 'stranger'],
    ['a kind that nobody knows', { room: { ...room, kind: 'tomorrow' as never }, role: 'ADMIN' }, 'ada', 'stranger'],
  ])('%s', (_, facts, userId, expected) => {
    expect(standingOf(facts, userId)).toBe(expected);
  });
});

describe('what may be done in a server', () => {
  const columns = [null, 'MEMBER', 'MODERATOR', 'ADMIN'] as const;

  /** For each action and role acted on (none: the act is on no person): what a stranger and each role may. */
  const table: [(typeof SERVER_ACTIONS)[number], (typeof columns)[number], ...string[]][] = [
    ['see', null, h, a, a, a],
    ['leave', null, h, a, a, a],
    ['change-server', null, h, f, f, a],
    ['change-channels', null, h, f, f, a],
    ['add-member', 'MEMBER', h, f, a, a],
    ['add-member', 'MODERATOR', h, f, f, a],
    ['add-member', 'ADMIN', h, f, f, a],
    ['remove-member', 'MEMBER', h, f, a, a],
    ['remove-member', 'MODERATOR', h, f, f, a],
    ['remove-member', 'ADMIN', h, f, f, f],
    ['ban-member', null, h, f, a, a],
    ['ban-member', 'MEMBER', h, f, a, a],
    ['ban-member', 'MODERATOR', h, f, f, a],
    ['ban-member', 'ADMIN', h, f, f, f],
    ['invite', null, h, f, a, a],
    ['read-audit', null, h, f, f, a],
    ['change-role', 'MEMBER', h, f, f, a],
    ['change-role', 'MODERATOR', h, f, f, a],
    ['change-role', 'ADMIN', h, f, f, a],
  ];

  it('has a row for each action', () => {
    expect(new Set(table.map(([action]) => action))).toEqual(new Set(SERVER_ACTIONS));
  });

  it.each(table)('%s on %s', (action, target, ...expected) => {
    expect(columns.map((role) => serverVerdict(role, action, target ?? undefined))).toEqual(expected);
  });
});
