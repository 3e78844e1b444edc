import { EventBus } from '../../platform/events/event-bus.js';
import type { RedisLink } from '../../platform/nodes/redis-link.js';
import type { Chosen, PresenceChange } from './neighbours.js';
import { NodePresence, WholeNodePresence } from './presence.events.js';
import { Roster } from './roster.js';

const online: Chosen = { choice: 'online', at: 0 };
const invisible: Chosen = { choice: 'invisible', at: 1 };

describe('Somebody who chose on another node to be invisible', () => {
  let bus: EventBus;
  let roster: Roster;
  let version: number;

  beforeEach(() => {
    bus = new EventBus();
    roster = new Roster(bus, {} as RedisLink);
    roster.onModuleInit();
    version = 0;
    bus.hear(WholeNodePresence([], { nodeId: 'other', version, people: [] }));
  });

  const told = (chosen: PresenceChange['chosen']) =>
    bus.hear(NodePresence([], { nodeId: 'other', version: ++version, changes: [{ userId: 'ada', chosen }] }));

  it('stays so when they have left that node, though the choice itself was not heard of here', () => {
    roster.came('ada', 'desk', online);
    told(invisible);
    told(null);
    expect(roster.statusOf('ada')).toBe('offline');
  });

  it('stays so when that node is asked for all of its people, and is gone', () => {
    roster.came('ada', 'desk', online);
    bus.hear(WholeNodePresence([], { nodeId: 'other', version: 1, people: [['ada', invisible]] }));
    bus.hear(WholeNodePresence([], { nodeId: 'other', version: 2, people: [] }));
    expect(roster.statusOf('ada')).toBe('offline');
  });

  it('stays so though their choice was read here before that, for a device that came after it', () => {
    told(invisible);
    roster.came('ada', 'desk', online);
    told(null);
    expect(roster.statusOf('ada')).toBe('offline');
  });
});
