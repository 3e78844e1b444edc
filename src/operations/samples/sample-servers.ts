import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { Database } from '../../platform/database/database.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { Problem } from '../../platform/http/problem.js';
import type { ChannelType } from '../../servers/channels/channel.entity.js';
import { ChannelsService } from '../../servers/channels/channels.service.js';
import { MembershipsService } from '../../servers/memberships/memberships.service.js';
import { ServersService } from '../../servers/servers/servers.service.js';
import { presentProfile } from '../../users/profile.presenter.js';
import { UsersService } from '../../users/users.service.js';

/** Beside the `general` that every server starts with. */
const SAMPLES: { name: string; channels: [name: string, type: ChannelType][] }[] = [
  {
    name: 'Town square',
    channels: [
      ['introductions', 'TEXT'],
      ['help', 'TEXT'],
      ['lounge', 'VOICE'],
    ],
  },
  {
    name: 'Workshop',
    channels: [
      ['projects', 'TEXT'],
      ['show-and-tell', 'TEXT'],
      ['pairing', 'VOICE'],
    ],
  },
  {
    name: 'Games night',
    channels: [
      ['looking-for-group', 'TEXT'],
      ['strategy', 'TEXT'],
      ['table-1', 'VOICE'],
      ['table-2', 'VOICE'],
    ],
  },
];

/** Who founds the samples: an account that nobody can sign in to. */
const FOUNDER = 'sample-servers';
const PEOPLE_AT_ONCE = 500;

interface Person {
  id: string;
  isAdmin: boolean;
}

export interface Seeded {
  servers: number;
  channels: number;
  members: number;
}

/** Servers to look at and try things in, with everybody in them. Does what is missing and nothing twice. */
@Injectable()
export class SampleServers {
  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly users: UsersService,
    private readonly servers: ServersService,
    private readonly channels: ChannelsService,
    private readonly members: MembershipsService,
  ) {}

  /** Gives what was added. Throws where a person has the founder's name. */
  async seed(): Promise<Seeded> {
    const founder = await this.founder();
    const added: Seeded = { servers: 0, channels: 0, members: 0 };
    for (const sample of SAMPLES) {
      const id = (await this.existing(founder, sample.name)) ?? (await this.found(founder, sample.name, added));
      await this.addChannels(founder, id, sample.channels, added);
      await this.addEverybody(founder, id, added);
    }
    return added;
  }

  private async founder(): Promise<Actor> {
    const known = await this.users.findByLogin(FOUNDER);
    if (known && known.kind !== 'bot') throw new Error(`Somebody is called ${FOUNDER}: rename that account first.`);
    const draft = { username: FOUNDER, displayName: 'Sample servers', kind: 'bot' as const };
    const user = known ?? (await this.work.run((tx) => this.users.create(tx, draft)));
    const rights = { isAdmin: false, isAdvocate: false, lacksSecondFactor: false };
    return { userId: user.id, loginId: user.id, profile: presentProfile(user), ...rights };
  }

  private async existing({ userId }: Actor, name: string): Promise<string | undefined> {
    const server = await this.database.one<{ id: string }>(
      `SELECT id FROM servers WHERE created_by = $1 AND name = $2 ORDER BY id LIMIT 1`,
      [userId, name],
    );
    return server?.id;
  }

  private async found(founder: Actor, name: string, added: Seeded): Promise<string> {
    const { id, channels } = await this.servers.create(founder, name, undefined);
    added.servers += 1;
    added.channels += channels.length;
    return id;
  }

  private async addChannels(founder: Actor, serverId: string, wanted: [string, ChannelType][], added: Seeded) {
    const there = new Set((await this.channels.of(serverId)).map(({ name }) => name));
    for (const [name, type] of wanted.filter(([each]) => !there.has(each))) {
      await this.channels.create(founder, serverId, { name, type });
      added.channels += 1;
    }
  }

  /** Administrators run the samples, everybody else is a member. Who was banned from one stays out of it. */
  private async addEverybody(founder: Actor, serverId: string, added: Seeded): Promise<void> {
    let after: string | null = null;
    do {
      const people: Person[] = await this.outsiders(serverId, after);
      for (const { id, isAdmin } of people) {
        if (await this.add(founder, serverId, id, isAdmin)) added.members += 1;
      }
      after = people.at(-1)?.id ?? null;
    } while (after !== null);
  }

  private outsiders(serverId: string, after: string | null): Promise<Person[]> {
    return this.database.query<Person>(
      `SELECT u.id, u.is_admin AS "isAdmin" FROM users u
       WHERE u.kind <> 'bot' AND ($2::uuid IS NULL OR u.id > $2)
         AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.server_id = $1 AND m.user_id = u.id)
       ORDER BY u.id LIMIT $3`,
      [serverId, after, PEOPLE_AT_ONCE],
    );
  }

  private async add(founder: Actor, serverId: string, userId: string, isAdmin: boolean): Promise<boolean> {
    try {
      await this.members.add(founder, serverId, userId, isAdmin ? 'ADMIN' : 'MEMBER');
      return true;
    } catch (error) {
      // Banned, come in by themselves, or gone meanwhile.
      if (error instanceof Problem && error.status < 500) return false;
      throw error;
    }
  }
}
