import { listOf, objectOf, textOf } from '../json.js';
import { type LinkedFile, withLinks } from '../links.js';
import { mentionedIn } from '../mentioning.js';
import { mustFitSearch, type RawRow, type Row } from '../row.js';
import type { OldMessage } from '../source.js';
import { storableJson, UnreadableValue } from '../values.js';
import { authorOf, type SlackPlace } from './slack-messages.js';
import { type SlackNames, spoken } from './slack-text.js';

const SAID = [
  ...['bot_message', 'me_message', 'file_share', 'file_comment', 'file_mention', 'thread_broadcast', 'reply_broadcast'],
  ...['slackbot_response', 'assistant_app_thread', 'document_mention', 'ekm_access_denied'],
];
const TIMESTAMP = /^(\d{1,11})\.(\d{1,6})$/;
const MAX_NAME = 255;
/** Blocks of an app nest a few levels. */
const MAX_DEPTH = 10;

/** Reads messages, and what Slack itself tells of people who come, go and rename things, which is nobody's here. */
export function messageReader(names: SlackNames): (row: Row) => OldMessage {
  return (row) => {
    const place = row.take('place') as SlackPlace;
    for (const name of ['type', 'thread_ts', 'reactions', 'parent_user_id', 'pinned_to', 'bot_profile']) row.take(name);
    const { at, order } = timeOf(row.take('ts'));
    const subtype = textOf(row.take('subtype'));
    const author = authorIn(row);
    const isSaid = subtype === null || SAID.includes(subtype);
    if (isSaid && author === null) throw new UnreadableValue('no author');
    const { content, attachments } = readContent(row, subtype, names);
    return {
      kind: 'message',
      id: place.id,
      conversation: place.conversation,
      role: isSaid ? 'user' : 'system',
      author: isSaid ? author : null,
      content,
      tokensUsed: null,
      metadata: readBeside(row, isSaid ? null : subtype, attachments),
      createdAt: at,
      order,
      editedAt: row.has('edited') ? timeOf(objectOf(row.take('edited')).ts).at : null,
      replyTo: place.replyTo,
      pinned: place.isPinned,
      mentions: isSaid ? mentionedIn(content) : [],
    };
  };
}

/** All six digits count for the order. Throws UnreadableValue. */
export function timeOf(ts: unknown): { at: Date; order: number } {
  const [, seconds, fraction = ''] = TIMESTAMP.exec(typeof ts === 'number' ? ts.toFixed(6) : (textOf(ts) ?? '')) ?? [];
  if (seconds === undefined) throw new UnreadableValue('unreadable ts');
  const order = Number(seconds) * 1000 + Number(fraction.padEnd(6, '0')) / 1000;
  return { at: new Date(Math.floor(order)), order };
}

function authorIn(row: Row): string | null {
  const names = ['user', 'comment', 'bot_id', 'username'];
  const author = authorOf(Object.fromEntries(names.map((name) => [name, row.peek(name)])));
  for (const name of ['user', 'bot_id']) row.take(name);
  return author;
}

/** Its text, or else what an app has put into blocks and attachments; files as links. */
function readContent(row: Row, subtype: string | null, names: SlackNames) {
  const told = [row.text('text') ?? '', ...attached(row)].filter((text) => text.trim() !== '');
  if (told.length === 0) told.push(...textsIn(listOf(row.take('blocks'))));
  const files = filesIn(row);
  if (told.length === 0 && subtype !== null && !SAID.includes(subtype)) told.push(subtype.replaceAll('_', ' '));
  if (told.length + files.length === 0) throw new UnreadableValue('neither text nor files');
  const text = told.map((each) => spoken(row.stored('text', each), names)).join('\n');
  const { content, attachments } = withLinks(subtype === 'me_message' ? `_${text}_` : text, files);
  mustFitSearch('text', content);
  return { content, attachments };
}

/** What apps say, and messages that somebody passed on. Previews of addresses in the text are none of its own. */
function attached(row: Row): string[] {
  const attachments = listOf(row.peek('attachments')).map(objectOf);
  const own = attachments.filter((each) => each.is_msg_unfurl === true || each.is_share === true || !each.from_url);
  if (own.length > 0 && own.length === attachments.length) row.take('attachments');
  return own.flatMap((attachment) => {
    const fields = listOf(attachment.fields)
      .map(objectOf)
      .flatMap(({ title, value }) => [title, value]);
    const texts = [attachment.pretext, attachment.title, attachment.text, ...fields].flatMap(
      (text) => textOf(text) ?? [],
    );
    if (texts.length === 0) texts.push(...textsIn(listOf(attachment.blocks)));
    if (texts.length === 0) texts.push(textOf(attachment.fallback) ?? '');
    const isPassedOn = attachment.is_msg_unfurl === true || attachment.is_share === true;
    return texts.map((text) => (isPassedOn ? text.replace(/^/gm, '> ') : text));
  });
}

function textsIn(blocks: unknown[], left = MAX_DEPTH): string[] {
  if (left === 0) return [];
  return blocks.map(objectOf).flatMap(({ text, fields, elements }) => {
    const own = textOf(text) ?? textOf(objectOf(text).text);
    return [...(own === null ? [] : [own]), ...textsIn([...listOf(fields), ...listOf(elements)], left - 1)];
  });
}

function filesIn(row: Row): LinkedFile[] {
  const files = [...listOf(row.take('files')), ...(row.has('file') ? [row.take('file')] : [])].map(objectOf);
  return files.map((file) => ({
    name:
      (textOf(file.name) ?? textOf(file.title) ?? (file.mode === 'tombstone' ? 'deleted file' : null))?.slice(
        0,
        MAX_NAME,
      ) ?? null,
    url: addressOf(file),
    size: typeof file.size === 'number' ? file.size : null,
    contentType: textOf(file.mimetype)?.slice(0, MAX_NAME) ?? null,
  }));
}

/** Without the token that exports put into addresses: it opens every file of the workspace to whoever has it. */
function addressOf(file: RawRow): string | null {
  const address = textOf(file.url_private) ?? textOf(file.permalink) ?? textOf(file.external_url);
  if (address === null || !URL.canParse(address)) return null;
  const url = new URL(address);
  if (!url.searchParams.has('t')) return address;
  url.searchParams.delete('t');
  return url.href;
}

/** The name that an app gave itself for this message, and what it was that Slack told. */
function readBeside(row: Row, event: string | null, attachments: object[]): Record<string, unknown> | null {
  const username = textOf(row.take('username'))?.slice(0, MAX_NAME);
  const beside = {
    ...(username !== undefined && { username }),
    ...(event !== null && { event }),
    ...(attachments.length > 0 && { attachments }),
  };
  if (Object.keys(beside).length === 0) return null;
  mustFitSearch('metadata', JSON.stringify(beside));
  return storableJson(beside) as Record<string, unknown>;
}
