import { idIn, listOf, objectOf, textOf } from '../json.js';
import { jsonObjects } from '../json-elements.js';
import type { RawRow } from '../row.js';
import { BrokenRow } from '../source.js';
import { storable } from '../values.js';
import type { SlackWorkspace } from './slack-workspace.js';

const DAY = /^([^/]+)\/\d{4}-\d\d-\d\d\.json$/;
/** Records of what happened to a message: it stands in the export as it is now. */
const TRACES = ['message_changed', 'message_deleted', 'message_replied'];
const BROADCASTS = ['thread_broadcast', 'reply_broadcast'];

/** Somebody who wrote and is not among the users: a bot, or a guest from another workspace. */
export interface SlackStranger extends RawRow {
  id: string;
  name: string | null;
  real_name: string | null;
}

/** Where a message stands. Ids are those of the room and the time, by which Slack numbers the messages of each. */
export interface SlackPlace {
  id: string;
  conversation: string;
  /** The first message of the thread, where it was said to the whole channel too. */
  replyTo: string | null;
  isPinned: boolean;
}

interface Found {
  raw: RawRow;
  room: string;
  place: SlackPlace;
  /** The thread that it answers in: the time of its first message. */
  thread: string | null;
}

export interface SlackCounts {
  messages: number;
  reactions: number;
  /** What is no message, or nobody's, by what it is. */
  beside: Record<string, number>;
}

/** The messages of an export of Slack, day by day. What it found at the first reading it keeps: threads and strangers. */
export class SlackMessages {
  readonly strangers = new Map<string, SlackStranger>();
  /** By the id of the thread: the room, and the time of its first message. */
  readonly threads = new Map<string, { room: string; ts: string }>();
  /** Files that are none of the days of a room. */
  readonly otherFiles: string[] = [];
  private readonly days: { file: string; room: string; pins: ReadonlySet<string> }[] = [];

  constructor(private readonly workspace: SlackWorkspace) {
    const byFolder = new Map(workspace.rooms.flatMap((room) => room.folders.map((folder) => [folder, room])));
    const pins = new Map(workspace.rooms.map(({ id, raw }) => [id, pinsOf(raw)]));
    for (const file of workspace.archive.names) {
      const [, folder] = (file.startsWith(workspace.top) && DAY.exec(file.slice(workspace.top.length))) || [];
      if (folder === undefined) this.otherFiles.push(file);
      else {
        const room = byFolder.get(folder)?.id ?? storable(folder);
        this.days.push({ file, room, pins: pins.get(room) ?? new Set() });
      }
    }
  }

  async count(): Promise<SlackCounts> {
    const counts: SlackCounts = { messages: 0, reactions: 0, beside: {} };
    const leaveOut = (name: string, size = 1) => {
      if (size > 0) counts.beside[name] = (counts.beside[name] ?? 0) + size;
    };
    for await (const found of this.all()) {
      const trace = found instanceof BrokenRow ? undefined : traceOf(found.raw);
      if (trace !== undefined) leaveOut(`messages, ${trace}`);
      else counts.messages += 1;
      if (found instanceof BrokenRow || trace !== undefined) continue;
      const { raw, place, thread, room } = found;
      if (thread !== null) this.threads.set(place.conversation, { room, ts: thread });
      this.meet(raw);
      for (const { users, count } of reactionsOf(raw)) {
        counts.reactions += users.length;
        leaveOut('reactions of nobody in particular', count - users.length);
      }
    }
    return counts;
  }

  async *messages(): AsyncGenerator<RawRow | BrokenRow> {
    for await (const found of this.all()) {
      if (found instanceof BrokenRow) yield found;
      else if (traceOf(found.raw) === undefined) yield { ...found.raw, place: found.place };
    }
  }

  async *reactions(): AsyncGenerator<RawRow> {
    for await (const found of this.all()) {
      if (found instanceof BrokenRow || traceOf(found.raw) !== undefined) continue;
      const { conversation, id: message } = found.place;
      for (const { name, users } of reactionsOf(found.raw)) {
        for (const user of users) yield { conversation, message, name, user };
      }
    }
  }

  private async *all(): AsyncGenerator<Found | BrokenRow> {
    for (const { file, room, pins } of this.days) {
      for await (const raw of jsonObjects(file, this.workspace.archive.read(file), 'no message')) {
        yield raw instanceof BrokenRow ? raw : found(raw, room, pins);
      }
    }
  }

  private meet(raw: RawRow): void {
    const id = authorOf(raw);
    if (id === null || this.workspace.people.has(id) || this.strangers.has(id)) return;
    const profile = objectOf(raw.user === id ? raw.user_profile : raw.bot_profile);
    const name = textOf(profile.name) ?? (raw.user === id ? null : textOf(raw.username));
    this.strangers.set(id, {
      id,
      name: name ?? (id === 'USLACKBOT' ? 'slackbot' : null),
      real_name: textOf(profile.display_name) ?? textOf(profile.real_name),
    });
  }
}

/** The id of who wrote it, of whatever kind. */
export function authorOf({ user, comment, bot_id: bot, username }: RawRow): string | null {
  const name = textOf(username);
  return idIn(user) ?? idIn(objectOf(comment).user) ?? idIn(bot) ?? (name === null ? null : idIn(`named ${name}`));
}

function found(raw: RawRow, room: string, pins: ReadonlySet<string>): Found {
  const ts = timestampOf(raw.ts) ?? '';
  const first = timestampOf(raw.thread_ts);
  const answersTo = first === ts ? null : first;
  const isBroadcast = BROADCASTS.includes(textOf(raw.subtype) ?? '');
  const thread = isBroadcast ? null : answersTo;
  const place = {
    id: `${room}/${ts}`,
    conversation: thread === null ? room : `${room}/${thread}`,
    replyTo: isBroadcast && answersTo !== null ? `${room}/${answersTo}` : null,
    isPinned: pins.has(ts),
  };
  return { raw, place, thread, room };
}

function timestampOf(value: unknown): string | null {
  return typeof value === 'number' ? String(value) : idIn(value);
}

function traceOf({ subtype }: RawRow): string | undefined {
  return TRACES.find((each) => each === subtype);
}

function pinsOf({ pins }: RawRow): Set<string> {
  return new Set(listOf(pins).flatMap((pin) => (objectOf(pin).type === 'C' && textOf(objectOf(pin).id)) || []));
}

function reactionsOf({ reactions }: RawRow): { name: string; users: string[]; count: number }[] {
  return listOf(reactions).map((reaction) => {
    const { name, users, count } = objectOf(reaction);
    const named = [...new Set(listOf(users).flatMap((user) => idIn(user) ?? []))];
    return { name: textOf(name) ?? '', users: named, count: typeof count === 'number' ? count : named.length };
  });
}
