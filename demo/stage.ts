import { setTimeout as sleep } from 'node:timers/promises';
import { Player } from './api.js';
import { CHANNELS, CHATTER, type Name, PEOPLE, REACTIONS, type Scene } from './cast.js';

const SERVER = 'The Analytical Society';
const [QUICKEST_MS, SLOWEST_MS] = [800, 3_000];

interface Room {
  id: string;
  name: string;
}

/** The people and their rooms, with what was said in them. */
export class Stage {
  private constructor(
    private readonly players: ReadonlyMap<Name, Player>,
    private readonly rooms: ReadonlyMap<string, string>,
  ) {}

  /** Sets up what is missing: after a second start nobody and nothing is there twice. */
  static async set(url: string): Promise<Stage> {
    const players = new Map<Name, Player>();
    for (const name of PEOPLE) players.set(name, await Player.called(url, name));
    const ada = players.get('ada') as Player;
    const { items } = await ada.call<{ items: { id: string; name: string }[] }>('GET', '/servers');
    const known = items.find(({ name }) => name === SERVER);
    const server = known ?? (await ada.call<{ id: string }>('POST', '/servers', { name: SERVER }));
    for (const [name, { id }] of players) {
      if (name !== 'ada') await unlessThere(ada.call('POST', `/servers/${server.id}/members`, { userId: id }));
    }
    for (const name of Object.keys(CHANNELS)) {
      await unlessThere(ada.call('POST', `/servers/${server.id}/channels`, { name, type: 'TEXT' }));
    }
    const { channels } = await ada.call<{ channels: Room[] }>('GET', `/servers/${server.id}`);
    const stage = new Stage(players, new Map(channels.map(({ name, id }) => [name, id])));
    for (const [channel, scene] of Object.entries(CHANNELS)) await stage.tell(channel, scene);
    await stage.talkAlone(ada, players.get('grace') as Player);
    return stage;
  }

  /** Somebody says something every second or two, and somebody else may like it; until it is stopped. */
  async play(stop: AbortSignal): Promise<void> {
    const channels = Object.keys(CHATTER);
    for (let n = 0; !stop.aborted; n += 1) {
      await sleep(QUICKEST_MS + Math.random() * (SLOWEST_MS - QUICKEST_MS), undefined, { signal: stop }).catch(
        () => undefined,
      );
      if (stop.aborted) return;
      const channel = channels[n % channels.length] as string;
      const scene = CHATTER[channel] as Scene;
      await this.line(channel, scene[Math.floor(n / channels.length) % scene.length] as Scene[number]);
    }
  }

  private async line(channel: string, [name, text]: Scene[number]): Promise<void> {
    const room = this.rooms.get(channel) as string;
    const { id } = await this.player(name).say(room, text);
    const fans = PEOPLE.filter((each) => each !== name && Math.random() < 0.15);
    for (const fan of fans) await this.player(fan).react(room, id, oneOf(REACTIONS));
  }

  /** Only where nothing was said yet. The first line is pinned, the last is an answer to it and well received. */
  private async tell(channel: string, scene: Scene): Promise<void> {
    const room = this.rooms.get(channel) as string;
    if (!(await isSilent(this.player('ada'), room))) return;
    const told: string[] = [];
    for (const [at, [name, text]] of scene.entries()) {
      const isLast = at === scene.length - 1;
      told.push((await this.player(name).say(room, text, isLast ? { replyToId: told[at - 1] as string } : {})).id);
    }
    await this.player('ada').call('PUT', `/conversations/${room}/messages/${told[0]}/pin`);
    for (const name of PEOPLE.slice(0, 4)) await this.player(name).react(room, told.at(-1) as string, '🎉');
  }

  /** A direct conversation of two, and one of Ada's with the agent that echoes. */
  private async talkAlone(ada: Player, grace: Player): Promise<void> {
    const { id } = await ada.call<Room>('POST', '/directs', { userIds: [grace.id] });
    if (await isSilent(ada, id)) {
      await ada.say(id, 'Between us: will they like it?');
      await grace.say(id, 'They will. And if not, they have the source.');
    }
    const agents = await ada.call<{ items: { id: string; slug: string }[] }>('GET', '/agents');
    const echo = agents.items.find(({ slug }) => slug === 'echo');
    if (!echo) return;
    const session = await ada.call<Room>('PUT', `/sessions/by-agent/${echo.id}`);
    if (await isSilent(ada, session.id)) await ada.say(session.id, 'Is anybody there?');
  }

  private player(name: Name): Player {
    return this.players.get(name) as Player;
  }
}

async function isSilent(player: Player, room: string): Promise<boolean> {
  const { items } = await player.call<{ items: unknown[] }>('GET', `/conversations/${room}/messages?limit=1`);
  return items.length === 0;
}

/** 409 says that it is as it should be. */
async function unlessThere(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof Error) || !error.message.startsWith('409')) throw error;
  });
}

function oneOf<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)] as T;
}
