import { idIn, listOf, objectOf, textOf } from '../json.js';
import type { RawRow } from '../row.js';
import { BrokenRow } from '../source.js';
import { readTime, storable } from '../values.js';
import { type DiscordFile, messagesIn } from './discord-files.js';

/** When somebody said or did something in a channel first and last, and when they left it. */
export interface Presence {
  first: number;
  last: number;
  left: number;
}

/** A reaction of one person, as a row. */
export interface ReactionRow extends RawRow {
  conversation: string;
  message: unknown;
  emoji: unknown;
  user: unknown;
}

/** What must be known of all files before any is carried: who is in them and where, and how much there is. */
export class DiscordSurvey {
  messages = 0;
  reactions = 0;
  /** By people whom the export only counts. */
  unnamedReactions = 0;
  /** As they were seen first. */
  readonly people = new Map<string, RawRow>();
  /** By channel and person. */
  readonly presence = new Map<string, Map<string, Presence>>();
  /** The message that tells of a thread, by the thread. */
  readonly starts = new Map<string, string>();
  /** The names of the threads, by their ids. */
  readonly threads: ReadonlyMap<string, string>;

  private constructor(files: readonly DiscordFile[]) {
    const threads = files.filter(({ channel }) => isThread(channel));
    this.threads = new Map(
      threads.map(({ channel }) => [String(channel.id), storable(textOf(channel.name) ?? 'Thread')]),
    );
  }

  /** Throws SourceError where a file ends early. */
  static async of(files: readonly DiscordFile[]): Promise<DiscordSurvey> {
    const survey = new DiscordSurvey(files);
    for (const file of files) {
      const channel = String(file.channel.id);
      for await (const message of messagesIn(file)) {
        survey.messages += 1;
        if (!(message instanceof BrokenRow)) survey.see(channel, message);
      }
    }
    return survey;
  }

  private see(channel: string, message: RawRow): void {
    const author = objectOf(message.author);
    const type = textOf(message.type);
    const at = timeOf(message);
    const isLeaving = type === 'RecipientRemove';
    if (!isLeaving) this.meet(channel, author, at);
    else this.meet(channel, objectOf(listOf(message.mentions)[0] ?? author), at, true);
    if (isLeaving) this.know(author);
    for (const { user } of reactionsOf(channel, message)) this.meet(channel, objectOf(user), at);
    for (const reaction of listOf(message.reactions).map(objectOf)) {
      const named = listOf(reaction.users).length;
      this.reactions += named;
      this.unnamedReactions += Math.max(Number.isInteger(reaction.count) ? Number(reaction.count) - named : 0, 0);
    }
    const told = textOf(objectOf(message.reference).channelId);
    const id = textOf(message.id);
    if (type === 'ThreadCreated' && told !== null && id !== null && !this.starts.has(told)) this.starts.set(told, id);
    if (id !== null && this.threads.has(id) && id !== channel) this.starts.set(id, id);
  }

  private know(person: RawRow): string | null {
    const id = idIn(person.id);
    if (id !== null && !this.people.has(id)) this.people.set(id, person);
    return id;
  }

  private meet(channel: string, person: RawRow, at: number, isLeaving = false): void {
    const id = this.know(person);
    if (id === null) return;
    const here = this.presence.get(channel) ?? new Map<string, Presence>();
    this.presence.set(channel, here);
    const seen = here.get(id) ?? { first: at, last: Number.NEGATIVE_INFINITY, left: Number.NEGATIVE_INFINITY };
    seen.first = Math.min(seen.first, at);
    if (isLeaving) seen.left = Math.max(seen.left, at);
    else seen.last = Math.max(seen.last, at);
    here.set(id, seen);
  }
}

export function isThread(channel: RawRow): boolean {
  return textOf(channel.type)?.endsWith('Thread') ?? false;
}

export function reactionsOf(conversation: string, message: RawRow): ReactionRow[] {
  return listOf(message.reactions)
    .map(objectOf)
    .flatMap(({ emoji, users }) => listOf(users).map((user) => ({ conversation, message: message.id, emoji, user })));
}

/** An unreadable one is told when the row is read. */
function timeOf(message: RawRow): number {
  try {
    return readTime(message.timestamp)?.getTime() ?? 0;
  } catch {
    return 0;
  }
}
