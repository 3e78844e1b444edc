import { idIn, listOf, objectOf, textOf } from '../json.js';
import { type LinkedFile, withLinks } from '../links.js';
import { mentionOf } from '../mentioning.js';
import { mustFitSearch, type RawRow, type Row } from '../row.js';
import type { OldMessage } from '../source.js';
import { storable, storableJson, UnreadableValue } from '../values.js';
import { idOf, timeOfId } from './discord-files.js';
import type { DiscordSurvey } from './discord-survey.js';

/** What people, and bots on their behalf, say. Everything else is told by Discord itself. */
const SAID = ['Default', 'Reply', '19', '20', '23'];
/** What has no words in an export. */
const TOLD = new Map([
  ['8', 'boosted the server.'],
  ['9', 'boosted the server to level 1.'],
  ['10', 'boosted the server to level 2.'],
  ['11', 'boosted the server to level 3.'],
  ['12', 'follows another channel here.'],
]);
const THREAD_STARTER = '21';
/** What is small enough to go with each page of a history. */
const MAX_BESIDE = 16_384;
/** Discord's own names have 32 characters at most. */
const MAX_NAME = 100;
/** Lists and marks that say nothing where they are empty. */
const OFTEN_EMPTY = ['embeds', 'stickers', 'inlineEmojis', 'attachments', 'reactions', 'mentions'];

export function readMessage(row: Row, survey: DiscordSurvey): OldMessage {
  const id = needId(row);
  const conversation = row.needId('conversation');
  const author = objectOf(row.take('author'));
  const authorId = idIn(author.id);
  if (authorId === null) throw new UnreadableValue('no author');
  const type = row.text('type') ?? 'Default';
  const isSaid = SAID.includes(type);
  for (const name of OFTEN_EMPTY) if (listOf(row.peek(name)).length === 0) row.take(name);
  row.take('reactions');
  const createdAt = row.time('timestamp') ?? timeOfId(id);
  const reference = objectOf(row.take('reference'));
  const people = mentionsOf(row, survey);
  const text = isSaid
    ? named(saidIn(row), people)
    : toldIn(row, type, author, textOf(reference.channelId), conversation, survey);
  const { content, attachments } = withLinks(text, filesOf(row));
  const metadata = { ...beside(row, type, attachments), ...authorOf(author, survey.people.get(authorId)) };
  mustFitSearch('content', content);
  mustFitSearch('metadata', JSON.stringify(metadata));
  return {
    ...{ kind: 'message', id, conversation, role: isSaid ? 'user' : 'system', author: isSaid ? authorId : null },
    ...{ content, tokensUsed: null, createdAt, order: createdAt?.getTime() ?? 0 },
    metadata: Object.keys(metadata).length > 0 ? (storableJson(metadata) as Record<string, unknown>) : null,
    editedAt: row.time('timestampEdited'),
    replyTo: reference.channelId === conversation ? idOf(reference.messageId) : null,
    pinned: row.take('isPinned') === true,
    mentions: isSaid ? people.map(({ id }) => String(id)) : [],
  };
}

/** Those who have an account: who was only ever mentioned has none. */
function mentionsOf(row: Row, survey: DiscordSurvey): RawRow[] {
  const people = listOf(row.take('mentions')).map(objectOf);
  return people.filter(({ id }) => survey.people.has(idOf(id) ?? ''));
}

/** An export names people as they were called in the guild, or with `--markdown false` by their ids. */
function named(text: string, people: RawRow[]): string {
  const ids = new Map<string, string>();
  for (const { id, nickname, name } of people) {
    const names = [nickname, name].map(textOf).filter((form) => form !== null && form.length <= MAX_NAME);
    for (const form of [...names.map((form) => `@${form}`), `<@${String(id)}>`, `<@!${String(id)}>`]) {
      if (!ids.has(form)) ids.set(form, String(id));
    }
  }
  if (ids.size === 0) return text;
  const forms = [...ids.keys()]
    .sort((a, b) => b.length - a.length)
    .map((form) => form.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return text.replace(new RegExp(forms.join('|'), 'g'), (form) => mentionOf(ids.get(form) ?? ''));
}

/** As a number it would have lost its last digits. */
function needId(row: Row): string {
  const id = row.peek('id');
  if (typeof id === 'number' && !Number.isSafeInteger(id)) throw new UnreadableValue('its id is no text');
  return row.needId('id');
}

/** What a bot says may stand in its embeds alone, and what somebody passes on in a message of its own. */
function saidIn(row: Row): string {
  const forwarded = objectOf(row.peek('forwardedMessage'));
  const own = [row.text('content') ?? '', quoted(storable(textOf(forwarded.content) ?? ''))];
  const said = own.filter((text) => text !== '').join('\n');
  return said === '' ? storable(listOf(row.peek('embeds')).map(objectOf).map(embedText).join('\n\n')) : said;
}

function quoted(text: string): string {
  return text === '' ? '' : text.replace(/^/gm, '> ');
}

function embedText({ title, url, description, fields }: RawRow): string {
  const heading = textOf(title) ?? textOf(url);
  const link = textOf(url)?.startsWith('http') && heading ? withLinks('', [linked(heading, url)]).content : heading;
  const rows = listOf(fields)
    .map(objectOf)
    .map(({ name, value }) => `${textOf(name) ?? ''}: ${textOf(value) ?? ''}`);
  return [link, textOf(description), ...rows].filter((line) => line !== null).join('\n');
}

/** Discord's own words name nobody: who it was comes first. */
function toldIn(
  row: Row,
  type: string,
  author: RawRow,
  about: string | null,
  channel: string,
  survey: DiscordSurvey,
): string {
  const content = row.text('content') ?? '';
  const thread = survey.threads.get(type === THREAD_STARTER ? channel : (about ?? ''));
  if (type === THREAD_STARTER) return thread ?? 'Thread';
  const who = storable(textOf(author.nickname) ?? textOf(author.name) ?? 'Somebody');
  if (type === 'ThreadCreated' && thread !== undefined) return `${who} started a thread: ${storable(thread)}`;
  const what = content.trim() || TOLD.get(type) || `did something (${type}).`;
  return `${who} ${what.charAt(0).toLowerCase()}${what.slice(1)}`;
}

function filesOf(row: Row): LinkedFile[] {
  const forwarded = objectOf(row.peek('forwardedMessage'));
  const attachments = [...listOf(row.take('attachments')), ...listOf(forwarded.attachments)].map(objectOf);
  const stickers = [...listOf(row.take('stickers')), ...listOf(forwarded.stickers)].map(objectOf);
  return [
    ...attachments.map(({ fileName, url, fileSizeBytes }) => linked(fileName, url, fileSizeBytes)),
    ...stickers.map(({ name, sourceUrl }) => linked(name, sourceUrl)),
  ];
}

function linked(name: unknown, url: unknown, size: unknown = null): LinkedFile {
  return { name: textOf(name), url: textOf(url), size: typeof size === 'number' ? size : null, contentType: null };
}

/** What has no place of its own here. Embeds that are too large are left out by name. */
function beside(row: Row, type: string, attachments: unknown[]): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  if (type !== 'Default' && type !== 'Reply') kept.type = type;
  if (attachments.length > 0) kept.attachments = attachments;
  for (const name of ['embeds', 'forwardedMessage', 'interaction']) {
    if (row.has(name) && JSON.stringify(row.peek(name)).length <= MAX_BESIDE) kept[name] = row.take(name);
  }
  if (listOf(kept.embeds).length === 0) delete kept.embeds;
  return kept;
}

/** A webhook speaks under many names. */
function authorOf(author: RawRow, first: RawRow | undefined): { author?: string } {
  const name = textOf(author.name);
  return name === null || first === undefined || name === first.name ? {} : { author: name };
}
