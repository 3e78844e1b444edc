import { listOf, objectOf, parsed, parsedOr, textOf } from '../json.js';
import { MAX_TOKENS, type Row } from '../row.js';
import {
  type OldMessage,
  type OldPassword,
  type OldRevision,
  type OldSession,
  type OldUser,
  type Source,
  SourceError,
} from '../source.js';
import { SqliteFile } from '../sqlite.js';
import { MendedText, storable, storableJson, UnreadableValue } from '../values.js';
import { agentSlugOf, mustHavePlace, readPlaced, ROLES } from './chat-tree.js';
import { Chats } from './open-webui-chats.js';

const TABLES = ['user', 'auth', 'chat', 'chat_message'];
/** What has no place of its own here, and is small enough to go with each page of a history. */
const BESIDE = ['model', 'model_id', 'usage', 'info', 'sources', 'error', 'files', 'output'];
const MAX_BESIDE = 16_384;

export function isOpenWebUi(file: SqliteFile): boolean {
  const columns = file.columns('chat');
  return columns.includes('chat') && columns.includes('user_id') && file.tables().includes('user');
}

/**
 * The `webui.db` of Open WebUI. A chat is a tree kept as JSON: the branch that is shown becomes the messages, and what
 * lies on other branches their revisions. Newer files have the messages in a table too, which comes first.
 */
export async function openWebUi(location: string, label = ''): Promise<Source> {
  const file = await SqliteFile.open(location);
  if (!isOpenWebUi(file)) {
    await file.close();
    throw new SourceError(`${location} has no tables user and chat as Open WebUI makes them.`);
  }
  const chats = new Chats(file);
  const pending = new Set<string>();
  const table = (name: string) => ({ name, count: () => file.count(name), rows: () => file.rows(name) });
  return {
    system: 'open-webui',
    label,
    location,
    ownerless: `legacy-user-${Date.now()}`,
    unknownUsers: 'orphan',
    tables: [
      { ...table('user'), understand: (row) => readUser(row, pending) },
      ...(file.tables().includes('auth')
        ? [{ ...table('auth'), understand: (row: Row) => readPassword(row, pending) }]
        : []),
      { ...table('chat'), understand: readChat },
      {
        name: 'chat.messages',
        count: () => chats.countInChats(),
        rows: () => chats.inChats(),
        understand: readMessage,
      },
      ...(chats.hasTable
        ? [
            {
              name: 'chat_message',
              count: () => file.count('chat_message'),
              rows: () => chats.inTable(),
              understand: readMessage,
            },
          ]
        : []),
    ],
    otherTables: { ...file.othersThan(TABLES), ...chats.olderCopies() },
    close: () => file.close(),
  };
}

function readUser(row: Row, pending: Set<string>): OldUser {
  const user: OldUser = {
    kind: 'user',
    id: row.needId('id'),
    username: row.text('username'),
    email: row.text('email'),
    displayName: row.text('name'),
    password: null,
    createdAt: row.time('created_at'),
  };
  if (row.has('role') && row.text('role') === 'pending') pending.add(user.id);
  return user;
}

/** Who could not sign in there cannot here. */
function readPassword(row: Row, pending: ReadonlySet<string>): OldPassword {
  const user = row.needId('id');
  if (pending.has(user)) throw new UnreadableValue('its account waits for approval');
  if (row.has('active') && !row.number('active')) throw new UnreadableValue('its account is switched off');
  return { kind: 'password', user, password: row.text('password') };
}

function readChat(row: Row): OldSession {
  const chat = row.inner('chat');
  const [model] = listOf(chat.take('models'));
  takeMessages(chat);
  const title = row.text('title');
  if (title === textOf(chat.peek('title'))) chat.take('title');
  const session: OldSession = {
    kind: 'session',
    id: row.needId('id'),
    owner: row.id('user_id'),
    type: 'agent',
    advocate: null,
    agentSlug: agentSlugOf(model),
    standing: false,
    title,
    closed: false,
    createdAt: row.time('created_at'),
    updatedAt: row.time('updated_at'),
  };
  chat.leaveRest();
  return session;
}

/** They are rows of their own: those of the history, beside which the list is an older copy, or those of the list. */
function takeMessages(chat: Row): void {
  const { messages } = objectOf(chat.take('history'));
  if (messages !== undefined && objectOf(messages) !== messages) throw new UnreadableValue('its history is unreadable');
  if (Object.keys(messages ?? {}).length === 0) chat.take('messages');
}

function readMessage(row: Row): OldMessage | OldRevision {
  const role = ROLES.get(textOf(row.peek('role')) ?? '');
  if (!role) throw new UnreadableValue('unknown role');
  mustHavePlace(row);
  for (const name of ['parentId', 'parent_id', 'stored']) row.take(name);
  const createdAt = row.time(row.has('timestamp') ? 'timestamp' : 'created_at');
  return readPlaced(row, { content: readContent(row), createdAt }, () => {
    row.take('role');
    return { role, tokensUsed: readTokens(row), metadata: readBeside(row) };
  });
}

/** Text, or blocks of which the texts count; where there is neither, what the model put out. */
function readContent(row: Row): string {
  const content = contentOf(row);
  if (!Array.isArray(content)) row.text('content');
  const text = Array.isArray(content) ? textsIn(content) : textOf(content);
  const said = text ?? textsIn(listOf(parsedOr(row.peek('output'))).flatMap((item) => listOf(objectOf(item).content)));
  if (said === '' && !row.has('content')) throw new UnreadableValue('content is missing');
  return Array.isArray(content) ? row.stored('content', said) : storable(said);
}

/** In the table it is JSON, in the chat a text may look like it. */
function contentOf(row: Row): unknown {
  const raw = row.peek('content');
  const content = row.has('stored') ? parsedOr(raw) : raw;
  const isBlocks = Array.isArray(content) && content.every((block) => textOf(objectOf(block).type) !== null);
  if (isBlocks) row.take('content');
  if (isBlocks || typeof content === 'string') return content;
  return raw instanceof MendedText ? raw.text : raw;
}

function textsIn(blocks: unknown[]): string {
  return blocks.flatMap((block) => textOf(objectOf(block).text) ?? []).join('\n\n');
}

function readTokens(row: Row): number | null {
  const usage = parsed(row.peek('usage') ?? parsed(row.peek('info')).usage);
  const input = usage.prompt_tokens ?? usage.input_tokens;
  const output = usage.completion_tokens ?? usage.output_tokens;
  const total =
    usage.total_tokens ??
    (input === undefined && output === undefined ? null : Number(input ?? 0) + Number(output ?? 0));
  return Number.isInteger(total) && Number(total) >= 0 && Number(total) <= MAX_TOKENS ? Number(total) : null;
}

function readBeside(row: Row): Record<string, unknown> | null {
  const metadata: Record<string, unknown> = {};
  for (const name of BESIDE) {
    if (!row.has(name)) continue;
    const value = parsedOr(row.peek(name));
    if (JSON.stringify(value).length <= MAX_BESIDE) {
      row.take(name);
      metadata[name] = storableJson(value);
    }
  }
  return Object.keys(metadata).length > 0 ? metadata : null;
}
