import { filesLeft, sourceIn } from '../archive.js';
import { listOf, objectOf, textOf } from '../json.js';
import { type LinkedFile, withLinks } from '../links.js';
import type { RawRow, Row } from '../row.js';
import type { OldMessage, OldRevision, OldSession, Source } from '../source.js';
import { storableJson, UnreadableValue } from '../values.js';
import { agentSlugOf, readPlaced, ROLES } from './chat-tree.js';
import { authorOf, ChatGptChats } from './chatgpt-chats.js';

/** As many as anybody gives a model at once, several times. */
const MAX_FILES = 50;
const MAX_NAME = 255;

type GivenFile = LinkedFile & { id: string | null };

/**
 * An export of ChatGPT, ZIP or folder. A chat is a tree kept as JSON: the branch that is shown becomes the messages, and
 * what lies on other branches their revisions. Whose it is does not stand in it.
 */
export function openChatGpt(location: string, label = ''): Promise<Source> {
  return sourceIn(location, async (archive) => {
    const chats = await ChatGptChats.open(archive);
    const { beside, ...counts } = await chats.count();
    const others = archive.names.filter((name) => !chats.files.includes(name));
    return {
      system: 'chatgpt',
      label,
      ownerless: `legacy-user-${Date.now()}`,
      unknownUsers: 'orphan',
      tables: [
        { name: 'conversations', count: () => counts.chats, rows: () => chats.chats(), understand: readChat },
        { name: 'messages', count: () => counts.messages, rows: () => chats.messages(), understand: readMessage },
      ],
      otherTables: { ...beside, ...filesLeft(others) },
    };
  });
}

function readChat(row: Row): OldSession {
  row.inner('mapping');
  const id = row.needId(row.has('conversation_id') ? 'conversation_id' : 'id');
  if (row.peek('id') === id) row.take('id');
  row.take('current_node');
  return {
    kind: 'session',
    id,
    owner: null,
    type: 'agent',
    advocate: null,
    agentSlug: agentSlugOf(row.take('default_model_slug') ?? firstModel(objectOf(row.peek('mapping')))),
    standing: false,
    title: row.text('title'),
    closed: false,
    createdAt: row.time('create_time'),
    updatedAt: row.time('update_time'),
  };
}

function firstModel(mapping: RawRow): string | undefined {
  for (const node of Object.values(mapping)) {
    const slug = textOf(objectOf(objectOf(objectOf(node).message).metadata).model_slug);
    if (slug) return slug;
  }
  return undefined;
}

function readMessage(row: Row): OldMessage | OldRevision {
  const author = authorOf({ author: row.take('author') });
  const role = author === 'tool' ? 'agent' : ROLES.get(author);
  if (!role) throw new UnreadableValue('unknown role');
  const metadata = row.has('metadata') ? row.inner('metadata') : undefined;
  const files = filesIn(metadata);
  const model = textOf(metadata?.take('model_slug'));
  metadata?.leaveRest();
  return readPlaced(row, { content: readContent(row, files), createdAt: row.time('create_time') }, () => ({
    role,
    tokensUsed: null,
    metadata: readBeside(model, files),
  }));
}

/**
 * All parts of the content: code as such, and pictures and other files by their names, since exports have no address for
 * them.
 */
function readContent(row: Row, files: GivenFile[]): string {
  const content = row.inner('content');
  const type = textOf(content.take('content_type')) ?? 'text';
  const parts = listOf(content.take('parts'));
  const isTranscribed = parts.some((part) => objectOf(part).content_type === 'audio_transcription');
  const shown = new Set<GivenFile>();
  const said = parts.flatMap((part) => saidIn(part, isTranscribed, pictureOf(part, files, shown)) ?? []);
  const text = textOf(content.take(content.has('text') ? 'text' : 'result'));
  if (text !== null) said.push(type === 'code' ? fenced(text, textOf(content.take('language'))) : text);
  content.leaveRest();
  const others = files.filter((file) => !shown.has(file));
  if (said.length + others.length === 0) {
    throw new UnreadableValue(`no text in a content of the type ${type.slice(0, 100)}`);
  }
  return row.stored('content', withLinks(said.join('\n\n'), others).content);
}

function pictureOf(part: unknown, files: GivenFile[], shown: Set<GivenFile>): GivenFile | undefined {
  const pointer = textOf(objectOf(part).asset_pointer);
  const file = files.find(({ id }) => id !== null && pointer?.endsWith(`//${id}`));
  if (file) shown.add(file);
  return file;
}

/** Nothing where what was spoken stands beside the recording as text. */
function saidIn(part: unknown, isTranscribed: boolean, picture: GivenFile | undefined): string | null {
  if (typeof part === 'string') return textOf(part);
  const { content_type: type, text } = objectOf(part);
  if (typeof text === 'string') return text;
  if (type !== 'image_asset_pointer') return isTranscribed ? null : '[recording]';
  return picture?.name ? `[image: ${picture.name}]` : '[image]';
}

function fenced(code: string, language: string | null): string {
  return `\`\`\`${language === null || language === 'unknown' ? '' : language}\n${code}\n\`\`\``;
}

function filesIn(metadata: Row | undefined): GivenFile[] {
  const files = listOf(metadata?.take('attachments')).map(objectOf).slice(0, MAX_FILES);
  return files.map(({ id, name, size, mime_type: contentType }) => ({
    id: textOf(id),
    name: textOf(name)?.slice(0, MAX_NAME) ?? null,
    url: null,
    size: typeof size === 'number' ? size : null,
    contentType: textOf(contentType)?.slice(0, MAX_NAME) ?? null,
  }));
}

function readBeside(model: string | null, files: GivenFile[]): Record<string, unknown> | null {
  if (model === null && files.length === 0) return null;
  const attachments = withLinks(
    '',
    files.map(({ id: _, ...file }) => file),
  ).attachments;
  return storableJson({ ...(model !== null && { model }), ...(attachments.length > 0 && { attachments }) }) as Record<
    string,
    unknown
  >;
}
