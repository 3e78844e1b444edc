import { type Archive, filesLeft, sourceIn } from '../archive.js';
import { textOf } from '../json.js';
import type { RawRow, Row } from '../row.js';
import type { BrokenRow, OldReaction, OldThread, Source, SourceTable } from '../source.js';
import { reactionNamed } from './slack-emoji.js';
import { messageReader, timeOf } from './slack-message.js';
import { SlackMessages } from './slack-messages.js';
import {
  channelReader,
  memberships,
  readMembership,
  readServer,
  readStranger,
  readUser,
  rowsOf,
  servers,
  withoutPlace,
} from './slack-rooms.js';
import type { SlackNames } from './slack-text.js';
import { LISTS, SlackWorkspace } from './slack-workspace.js';

/**
 * An export of a Slack workspace, ZIP or folder. The workspace becomes a server with its public channels; what was not
 * open to all of it becomes direct conversations, or servers of their own with just the people who were in there.
 */
export function openSlack(location: string, label = ''): Promise<Source> {
  return sourceIn(location, (archive) => readSlack(archive, label));
}

async function readSlack(archive: Archive, label: string): Promise<Omit<Source, 'location' | 'close'>> {
  const workspace = await SlackWorkspace.open(archive);
  const messages = new SlackMessages(workspace);
  const { beside, ...counts } = await messages.count();
  const readRoom = channelReader(workspace);
  return {
    system: 'slack',
    label,
    ownerless: `legacy-user-${Date.now()}`,
    unknownUsers: 'account',
    tables: [
      {
        name: 'users',
        count: () => workspace.count('users'),
        rows: () => workspace.rows('users'),
        understand: readUser,
      },
      few('people beside the users', () => messages.strangers.values(), readStranger),
      few('servers', () => servers(workspace), readServer),
      few('memberships', () => memberships(workspace), readMembership),
      ...LISTS.map((list) => few(list, () => rowsOf(workspace, list), readRoom)),
      few('threads', () => threadRows(messages), readThread),
      {
        name: 'messages',
        count: () => counts.messages,
        rows: () => messages.messages(),
        understand: messageReader(namesOf(workspace, messages)),
      },
      { name: 'reactions', count: () => counts.reactions, rows: () => messages.reactions(), understand: readReaction },
    ],
    otherTables: { ...beside, ...withoutPlace(workspace), ...otherFiles(workspace, messages) },
  };
}

/** A table of rows that are in memory. */
function few(
  name: string,
  rows: () => Iterable<RawRow | BrokenRow>,
  understand: SourceTable['understand'],
): SourceTable {
  return { name, count: () => [...rows()].length, rows, understand };
}

function* threadRows({ threads }: SlackMessages): Generator<RawRow> {
  for (const [id, { room, ts }] of threads) yield { id, room, ts };
}

function readThread(row: Row): OldThread {
  const id = row.needId('id');
  return {
    kind: 'thread',
    id,
    channel: row.needId('room'),
    root: id,
    name: null,
    createdAt: timeOf(row.take('ts')).at,
  };
}

function readReaction(row: Row): OldReaction {
  const [conversation, message, user] = [row.needId('conversation'), row.needId('message'), row.needId('user')];
  const emoji = reactionNamed(row.text('name') ?? '');
  return { kind: 'reaction', id: `${message}/${emoji}/${user}`, conversation, message, user, emoji, createdAt: null };
}

function namesOf({ people, rooms }: SlackWorkspace, { strangers }: SlackMessages): SlackNames {
  const channels = new Map(rooms.map(({ id, raw }) => [id, textOf(raw.name) ?? undefined]));
  return {
    hasPerson: (id) => people.has(id) || strangers.has(id),
    channel: (id) => channels.get(id),
  };
}

/** JSON by name, everything else as how many. */
function otherFiles({ top }: SlackWorkspace, messages: SlackMessages): Record<string, number> {
  const read = ['users', ...LISTS].map((list) => `${top}${list}.json`);
  return filesLeft(messages.otherFiles.filter((file) => !read.includes(file)));
}
