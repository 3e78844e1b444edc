import { audienceOf, type Facts, type Room, type Standing, standingOf } from './facts.js';
import { ACTIONS, SERVER_ACTIONS, serverVerdict, verdict } from './verdict.js';

const a = 'allow';
const f = 'forbid';
const h = 'hide';

describe('what may be done in a room', () => {
  //                              read write pin moderate clear close help own
  const table: [Standing, ...string[]][] = [
    ['stranger', h, h, h, h, h, h, h, h],
    ['owner', a, a, a, a, a, a, f, a],
    ['advocate', a, a, f, f, f, a, a, f],
    ['participant', a, a, a, f, f, f, f, f],
    ['MEMBER', a, a, f, f, f, f, f, f],
    ['MODERATOR', a, a, a, a, f, f, f, f],
    ['ADMIN', a, a, a, a, f, f, f, a],
  ];
  const columns = ['read', 'write', 'pin', 'moderate', 'clear', 'close', 'help', 'own'] as const;

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
  const direct = { ...room, kind: 'direct' as const, people: ['ada', 'bob'] };
  /** What the door finds of a thread: all but its own id and kind is its parent's. */
  const inThread = (parent: Room): Room => ({
    ...parent,
    id: 't',
    kind: 'thread',
    parentId: parent.id,
    parentKind: parent.kind,
  });

  it.each<[string, Facts, string, Standing]>([
    ['the owner of a session', { room: session, role: null }, 'ada', 'owner'],
    ['its advocate', { room: session, role: null }, 'bob', 'advocate'],
    ['anybody else, an administrator of the house too', { room: session, role: null }, 'eve', 'stranger'],
    ['somebody in a direct conversation', { room: direct, role: null }, 'bob', 'participant'],
    ['anybody else, there', { room: direct, role: 'ADMIN' }, 'eve', 'stranger'],
    ['somebody in it, in its threads', { room: inThread(direct), role: null }, 'ada', 'participant'],
    ['anybody else, in those threads', { room: inThread(direct), role: null }, 'eve', 'stranger'],
    ['the owner of a session, in its threads', { room: inThread(session), role: null }, 'ada', 'owner'],
    ['its advocate, in its threads', { room: inThread(session), role: null }, 'bob', 'advocate'],
    ['anybody else, in its threads', { room: inThread(session), role: 'ADMIN' }, 'eve', 'stranger'],
    [
      'a member of the server, in the threads of its channels',
      { room: inThread(channel), role: 'MEMBER' },
      'ada',
      'MEMBER',
    ],
    ['somebody past, in those threads', { room: inThread(channel), role: null }, 'ada', 'stranger'],
    ['a thread that hangs nowhere', { room: { ...room, kind: 'thread' }, role: 'ADMIN' }, 'ada', 'stranger'],
    ['a member of the server', { room: channel, role: 'MEMBER' }, 'ada', 'MEMBER'],
    ['an ADMIN of the server', { room: channel, role: 'ADMIN' }, 'ada', 'ADMIN'],
    ['somebody banned, or past, who has no role left', { room: channel, role: null }, 'ada', 'stranger'],
    ['a role where there is no server to have it in', { room: session, role: 'ADMIN' }, 'eve', 'stranger'],
    ['a kind that nobody knows', { room: { ...room, kind: 'tomorrow' as never }, role: 'ADMIN' }, 'ada', 'stranger'],
  ])('%s', (_, facts, userId, expected) => {
    expect(standingOf(facts, userId)).toBe(expected);
  });

  it('lets the same people hear of a thread as of its parent', () => {
    for (const parent of [session, channel, direct]) {
      expect(audienceOf(inThread(parent))).toEqual(audienceOf(parent));
      expect(audienceOf(parent)).not.toEqual([]);
    }
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
