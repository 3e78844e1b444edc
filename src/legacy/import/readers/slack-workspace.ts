import { FEWEST_IN_DIRECT, MOST_IN_DIRECT } from '../../../directs/direct.entity.js';
import type { Archive } from '../archive.js';
import { idIn, listOf, textOf } from '../json.js';
import { jsonObjects } from '../json-elements.js';
import type { RawRow } from '../row.js';
import { BrokenRow, SourceError } from '../source.js';

export const LISTS = ['channels', 'groups', 'mpims', 'dms'] as const;
export type RoomList = (typeof LISTS)[number];

/** A conversation of the workspace, as one of the lists has it. */
export interface SlackRoom {
  list: RoomList;
  id: string;
  raw: RawRow;
  /** Where its messages may be. */
  folders: string[];
  members: string[];
  /** Whatever list it stands in: tools that export for people who may not put all into one. */
  isDirect: boolean;
  /** Its people alone see it: as a direct conversation, or as a server of its own where that cannot be. */
  as: 'channel' | 'direct' | 'server';
}

interface SlackPerson {
  name: string;
  /** Sees all public channels: neither a bot nor a guest nor switched off. */
  isMember: boolean;
  isGuest: boolean;
  isGone: boolean;
  isOwner: boolean;
  isAdmin: boolean;
}

/** Who and what there is in an export of Slack: everything but the messages. */
export class SlackWorkspace {
  readonly people = new Map<string, SlackPerson>();
  readonly rooms: SlackRoom[] = [];
  readonly broken: Record<RoomList, BrokenRow[]> = { channels: [], groups: [], mpims: [], dms: [] };
  private readonly teams = new Map<string, number>();

  private constructor(
    readonly archive: Archive,
    /** Where in the archive the export begins. */
    readonly top: string,
  ) {}

  /** Throws SourceError where this is no export of Slack. */
  static async open(archive: Archive): Promise<SlackWorkspace> {
    const lists = archive.names.filter((name) => /(^|\/)(users|channels)\.json$/.test(name));
    const [first] = lists.sort((a, b) => a.split('/').length - b.split('/').length);
    if (first === undefined) {
      throw new SourceError(`${archive.location} has no users.json and no channels.json: it is no export of Slack.`);
    }
    const workspace = new SlackWorkspace(archive, first.slice(0, first.lastIndexOf('/') + 1));
    await workspace.readPeople();
    for (const list of LISTS) await workspace.readRooms(list);
    workspace.arrangeDirects();
    return workspace;
  }

  /** Of all workspaces this one only, in an older and a newer export alike. */
  get id(): string {
    const [team] = [...this.teams].sort(([, a], [, b]) => b - a)[0] ?? [];
    return team ?? `workspace of ${this.general?.id ?? this.rooms[0]?.id ?? 'nothing'}`;
  }

  get general(): SlackRoom | undefined {
    const channels = this.rooms.filter((room) => room.as === 'channel');
    return channels.find(({ raw }) => raw.is_general === true) ?? channels[0];
  }

  /** Slack says it in the name of the file alone. */
  get name(): string {
    const [, name] = /([^/\\]+?) Slack export/i.exec(this.archive.location) ?? [];
    return name ?? 'Slack';
  }

  async *rows(list: 'users' | RoomList): AsyncGenerator<RawRow | BrokenRow> {
    const name = `${this.top}${list}.json`;
    if (!this.archive.names.includes(name)) return;
    yield* jsonObjects(name, this.archive.read(name), 'no object');
  }

  async count(list: 'users' | RoomList): Promise<number> {
    let count = 0;
    for await (const _ of this.rows(list)) count += 1;
    return count;
  }

  private async readPeople(): Promise<void> {
    for await (const raw of this.rows('users')) {
      const id = raw instanceof BrokenRow ? null : idIn(raw.id);
      if (id === null || raw instanceof BrokenRow) continue;
      const team = textOf(raw.team_id);
      if (team !== null && raw.is_stranger !== true) this.teams.set(team, (this.teams.get(team) ?? 0) + 1);
      const isGone = raw.deleted === true;
      const isGuest = raw.is_restricted === true || raw.is_ultra_restricted === true || raw.is_stranger === true;
      this.people.set(id, {
        name: textOf(raw.name) ?? id,
        isMember: !isGone && !isGuest && raw.is_bot !== true && id !== 'USLACKBOT',
        isGuest: isGuest && !isGone,
        isGone,
        isOwner: raw.is_owner === true || raw.is_primary_owner === true,
        isAdmin: raw.is_admin === true,
      });
    }
  }

  private async readRooms(list: RoomList): Promise<void> {
    for await (const raw of this.rows(list)) {
      // As its row is read: messages find it by this.
      const id = raw instanceof BrokenRow ? null : idIn(raw.id);
      if (raw instanceof BrokenRow || id === null) {
        this.broken[list].push(raw instanceof BrokenRow ? raw : new BrokenRow('no id', JSON.stringify(raw)));
        continue;
      }
      const folders = [textOf(raw.name), textOf(raw.id)].filter((folder) => folder !== null);
      const members = [...new Set(listOf(raw.members).flatMap((member) => idIn(member) ?? []))];
      const isDirect = list === 'dms' || list === 'mpims' || raw.is_im === true || raw.is_mpim === true;
      const isOpen = list === 'channels' && !isDirect && raw.is_private !== true && raw.is_group !== true;
      this.rooms.push({ list, id, raw, folders, members, isDirect, as: isOpen ? 'channel' : 'server' });
    }
  }

  /** One set of people has one direct conversation; what cannot be one stays a server of its own. */
  private arrangeDirects(): void {
    const seen = new Set<string>();
    for (const room of this.rooms.filter(({ isDirect }) => isDirect)) {
      const size = room.members.length;
      const people = [...room.members].sort().join(' ');
      if (size < FEWEST_IN_DIRECT || size > MOST_IN_DIRECT || seen.has(people)) continue;
      seen.add(people);
      room.as = 'direct';
    }
  }
}
