import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { audienceOf, type Room } from '../access/facts.js';
import type { Reader } from '../access/pass.js';
import { arrayAt, Database } from '../platform/database/database.js';
import { together } from '../platform/database/together.js';
import { EventBus } from '../platform/events/event-bus.js';
import type { Topic } from '../platform/events/event.js';
import { HintsLost } from '../platform/nodes/nodes.events.js';
import { MemberAdded } from '../servers/memberships/memberships.events.js';
import type { Chosen } from '../users/presence/neighbours.js';
import { PresenceChanged, PresenceChosen } from '../users/presence/presence.events.js';
import type { Choice } from '../users/presence/presence-choice.entity.js';
import { Roster, type Status } from '../users/presence/roster.js';
import type { Connection } from './connection.js';
import { Hub } from './hub.js';
import { PresenceTold } from './presence.events.js';

/** How many people an answer to `subscribe` tells of. */
const MOST_SHOWN = 500;
/** Who comes and goes in such a moment is told of together. */
const TOGETHER_MS = 50;
const RETRY_MS = 1_000;

interface Shown {
  presence: { userId: string; status: Status }[];
  /** There are more: the list of members has them. */
  morePresence: boolean;
}

/** Tells who shows somebody on a screen whether they are here. It costs what is shown, whatever the servers hold. */
@Injectable()
export class Presence implements OnModuleInit {
  private readonly logger = new Logger(Presence.name);
  private readonly untold = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: EventBus,
    private readonly hub: Hub,
    private readonly database: Database,
    private readonly roster: Roster,
  ) {}

  onModuleInit(): void {
    this.bus.on(PresenceChanged, ({ userIds }) => this.tellSoon(userIds));
    this.bus.on(MemberAdded, ({ member }) => {
      if (this.roster.statusOf(member.user.id) !== 'offline') this.tellSoon([member.user.id]);
    });
    this.bus.on(PresenceChosen, ({ userId, chosen }) => {
      if (this.roster.isOutdated(userId, chosen)) return;
      this.hub.deliver(PresenceTold([`user:${userId}`], { userId, status: chosen.choice }));
    });
    this.bus.on(HintsLost, () => void this.catchUp());
  }

  /** What those who are here chose on another node, where that was lost on the way: else who is invisible would be seen. */
  private async catchUp(): Promise<void> {
    try {
      const look = async (userId: string) => ({ userId, chosen: await this.chosenBy(userId) });
      for (const { userId, chosen } of await Promise.all(this.roster.peopleOfNode.map(look)))
        this.roster.learn(userId, chosen);
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'how those who are here want to be seen could not be read yet');
      setTimeout(() => void this.catchUp(), RETRY_MS).unref();
    }
  }

  /** What somebody has chosen, on whatever device. */
  async chosenBy(userId: string): Promise<Chosen> {
    return (await this.readChoice(userId)) ?? { choice: 'online', at: 0 };
  }

  private readonly readChoice = together(async (userIds) => {
    const rows = await this.database.prepared<{ userId: string; choice: Choice; chosenAt: Date }>(
      `SELECT user_id AS "userId", choice, chosen_at AS "chosenAt" FROM presence_choices WHERE user_id = ANY(${arrayAt(1)})`,
      [userIds],
    );
    return new Map(rows.map(({ userId, choice, chosenAt }) => [userId, { choice, at: chosenAt.getTime() }]));
  });

  async choose(userId: string, choice: Choice): Promise<void> {
    const row = await this.database.one<{ chosenAt: Date }>(
      `INSERT INTO presence_choices AS known (user_id, choice, chosen_at) VALUES ($1, $2, clock_timestamp())
       ON CONFLICT (user_id) DO UPDATE SET choice = excluded.choice,
         chosen_at = greatest(clock_timestamp(), known.chosen_at + interval '1 millisecond')
       RETURNING chosen_at AS "chosenAt"`,
      [userId, choice],
    );
    if (row) this.bus.publish(PresenceChosen([], { userId, chosen: { choice, at: row.chosenAt.getTime() } }));
  }

  came({ actor, id }: Connection, chosen: Chosen): void {
    this.roster.came(actor.userId, id, chosen);
  }

  left({ actor, id }: Connection): void {
    this.roster.left(actor.userId, id);
  }

  /** Those of a room who are here, for who begins to show it. */
  async shownIn({ room, actor }: Reader): Promise<Shown> {
    const people = (await this.peopleOf(room)).filter((userId) => userId !== actor.userId);
    const presence = people
      .map((userId) => ({ userId, status: this.roster.statusOf(userId) }))
      .filter(({ status }) => status !== 'offline');
    return { presence: presence.slice(0, MOST_SHOWN), morePresence: presence.length > MOST_SHOWN };
  }

  /** Who may be here of those whom the room shows: a few more than are told of at most, of whom some are invisible. */
  private async peopleOf({ serverId, ...room }: Room): Promise<string[]> {
    if (!serverId) return audienceOf({ serverId, ...room }).map((topic) => topic.slice('user:'.length));
    const people = new Set<string>();
    for (const { actor } of this.hub.of(`server:${serverId}`)) {
      people.add(actor.userId);
      if (people.size > 2 * MOST_SHOWN) return [...people];
    }
    const others = [...this.roster.peopleWithoutSocket];
    if (others.length === 0) return [...people];
    const members = await this.database.prepared<{ id: string }>(
      `SELECT user_id AS id FROM memberships WHERE server_id = $1 AND user_id = ANY(${arrayAt(2)}) LIMIT $3`,
      [serverId, others, 2 * MOST_SHOWN],
    );
    return [...new Set([...people, ...members.map(({ id }) => id)])];
  }

  private tellSoon(userIds: string[], after = TOGETHER_MS): void {
    for (const userId of userIds) this.untold.add(userId);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.tell();
    }, after).unref();
  }

  private async tell(): Promise<void> {
    const userIds = [...this.untold];
    this.untold.clear();
    try {
      const memberships = await this.database.prepared<{ userId: string; serverId: string }>(
        `SELECT user_id AS "userId", server_id AS "serverId" FROM memberships WHERE user_id = ANY(${arrayAt(1)})`,
        [userIds],
      );
      const screens = new Map(userIds.map((userId): [string, Topic[]] => [userId, [`presence:${userId}`]]));
      for (const { userId, serverId } of memberships) screens.get(userId)?.push(`presence:${serverId}`);
      for (const [userId, audience] of screens) {
        const status = this.roster.statusOf(userId);
        this.hub.deliver({ ...PresenceTold(audience, { userId, status }), except: userId });
      }
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'who is here could not be told yet');
      this.tellSoon(userIds, RETRY_MS);
    }
  }
}
