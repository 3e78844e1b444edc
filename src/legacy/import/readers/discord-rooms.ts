import { FEWEST_IN_DIRECT, MOST_IN_DIRECT } from '../../../directs/direct.entity.js';
import { textOf } from '../json.js';
import type { RawRow } from '../row.js';
import type { DiscordFile } from './discord-files.js';
import { type DiscordSurvey, isThread, type Presence } from './discord-survey.js';

const NO_GUILD = '0';

/** The rows of servers, of who is in them, and of channels, threads and direct conversations. */
export interface DiscordRooms {
  servers: RawRow[];
  memberships: RawRow[];
  rooms: RawRow[];
}

/**
 * Everybody who is seen in a guild's channels is a member of its server. What was not for all of them is a server of
 * its own with those who are seen there: private threads, channels in a folder `private`, and direct conversations of one
 * person, of more than ten, or of people who have another one.
 */
export function discordRooms(files: readonly DiscordFile[], survey: DiscordSurvey): DiscordRooms {
  return new Rooms(survey).of(files);
}

class Rooms {
  private readonly servers = new Map<string, RawRow>();
  private readonly memberships = new Map<string, RawRow>();
  private readonly rooms = new Map<string, RawRow>();
  /** The servers of channels, by their ids. */
  private readonly serverOf = new Map<string, string>();
  private readonly directs = new Set<string>();

  constructor(private readonly survey: DiscordSurvey) {}

  of(files: readonly DiscordFile[]): DiscordRooms {
    const sorted = [...files].sort((a, b) => compareIds(String(a.channel.id), String(b.channel.id)));
    for (const file of sorted) if (!isThread(file.channel)) this.add(file);
    for (const file of sorted) if (isThread(file.channel)) this.addThread(file);
    const rows = (map: Map<string, RawRow>) => [...map.values()];
    return { servers: rows(this.servers), memberships: rows(this.memberships), rooms: rows(this.rooms) };
  }

  private add({ guild, channel, isPrivate }: DiscordFile): void {
    const id = String(channel.id);
    if (this.rooms.has(id)) return;
    const isDirect = textOf(channel.type)?.startsWith('Direct') ?? guild.id === NO_GUILD;
    if (isDirect && this.addDirect(id)) return;
    this.addChannel(channel, isDirect || isPrivate ? this.ownServer(channel) : this.guildServer(guild));
  }

  private addDirect(id: string): boolean {
    const members = this.present(id).map(([person]) => person);
    const key = members.sort().join();
    if (members.length < FEWEST_IN_DIRECT || members.length > MOST_IN_DIRECT || this.directs.has(key)) return false;
    this.directs.add(key);
    this.rooms.set(id, { kind: 'direct', id, members });
    return true;
  }

  /** The channel of a thread may not be among the files: then the thread's file says its name. */
  private addThread({ guild, channel, isPrivate }: DiscordFile): void {
    const id = String(channel.id);
    if (this.rooms.has(id)) return;
    const parent = textOf(channel.categoryId);
    if (parent === null || textOf(channel.type) === 'GuildPrivateThread') {
      this.addChannel({ ...channel, categoryId: null, category: null }, this.ownServer(channel));
      return;
    }
    const head = { id: parent, name: channel.category };
    if (!this.rooms.has(parent)) this.addChannel(head, isPrivate ? this.ownServer(head) : this.guildServer(guild));
    this.joinAll(this.serverOf.get(parent) ?? '', id);
    const root = this.survey.starts.get(id) ?? null;
    this.rooms.set(id, { kind: 'thread', id, channel: parent, root, name: channel.name });
  }

  private addChannel(channel: RawRow, server: string): void {
    const id = String(channel.id);
    const { name, type, topic, category } = channel;
    this.serverOf.set(id, server);
    this.rooms.set(id, { kind: 'channel', id, server, name, type, topic, category, position: this.rooms.size });
    this.joinAll(server, id);
  }

  private guildServer(guild: RawRow): string {
    const id = String(guild.id);
    if (!this.servers.has(id)) this.servers.set(id, { id, name: guild.name, iconUrl: guild.iconUrl, isPrivate: false });
    return id;
  }

  private ownServer(channel: RawRow): string {
    const id = `channel ${String(channel.id)}`;
    this.servers.set(id, { id, name: channel.name, of: channel.id, isPrivate: true });
    return id;
  }

  /** Who shares something private has no administrator over them. */
  private joinAll(server: string, channel: string): void {
    const role = this.servers.get(server)?.isPrivate === true ? 'ADMIN' : 'MEMBER';
    for (const [user, { first }] of this.present(channel)) {
      const id = `${server}/${user}`;
      const known = this.memberships.get(id);
      if (!known || Number(known.joined) > first) this.memberships.set(id, { id, server, user, role, joined: first });
    }
  }

  /** Without those who left it and were not seen again. */
  private present(channel: string): [string, Presence][] {
    return [...(this.survey.presence.get(channel) ?? [])].filter(([, { last, left }]) => last > left);
  }
}

/** Snowflakes are numbers of up to 20 digits: the shorter one is the smaller. */
function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}
