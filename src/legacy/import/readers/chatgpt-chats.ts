import type { Archive } from '../archive.js';
import { listOf, objectOf, textOf } from '../json.js';
import { jsonElements, jsonObjects } from '../json-elements.js';
import type { RawRow } from '../row.js';
import { BrokenRow, SourceError } from '../source.js';
import { type ChatTree, placesIn } from './chat-tree.js';

/** One file, or in newer exports several: conversations-000.json, conversations-001.json. */
const NAMED = /(^|\/)conversations([-_ ]?\d+)?\.json$/i;
const HIDDEN_CONTENT = ['user_editable_context', 'model_editable_context'];
const AUTHORS = ['user', 'assistant', 'system', 'tool'];
const THOUGHT = ['thoughts', 'reasoning_recap'];

export interface ChatCounts {
  chats: number;
  messages: number;
  /** What is no message to those who read the chat, by what it is. */
  beside: Record<string, number>;
}

/** The chats of an export of ChatGPT, and their messages with the place of each on the branch that is shown. */
export class ChatGptChats {
  private constructor(
    private readonly archive: Archive,
    readonly files: readonly string[],
  ) {}

  /** Throws SourceError where no file has chats. */
  static async open(archive: Archive): Promise<ChatGptChats> {
    const named = archive.names.filter((name) => NAMED.test(name));
    if (named.length > 0) return new ChatGptChats(archive, named);
    const files: string[] = [];
    for (const name of archive.names.filter((each) => /\.json$/i.test(each))) {
      if (await beginsWithChat(archive, name)) files.push(name);
    }
    if (files.length > 0) return new ChatGptChats(archive, files);
    throw new SourceError(`${archive.location} has no conversations.json, and no other file with chats of ChatGPT.`);
  }

  async count(): Promise<ChatCounts> {
    const counts: ChatCounts = { chats: 0, messages: 0, beside: {} };
    const leaveOut = (name: string) => (counts.beside[name] = (counts.beside[name] ?? 0) + 1);
    for await (const chat of this.elements()) {
      if (!(chat instanceof BrokenRow) && !('mapping' in chat)) leaveOut('folders');
      else counts.chats += 1;
      if (chat instanceof BrokenRow) continue;
      for (const node of Object.values(objectOf(chat.mapping))) {
        if (isEmptyNode(node)) continue;
        const kind = besideOf(messageOf(node));
        if (kind) leaveOut(`messages, ${kind}`);
        else counts.messages += 1;
      }
    }
    return counts;
  }

  async *chats(): AsyncGenerator<RawRow | BrokenRow> {
    for await (const chat of this.elements()) {
      if (chat instanceof BrokenRow || 'mapping' in chat) yield chat;
    }
  }

  async *messages(): AsyncGenerator<RawRow> {
    for await (const chat of this.elements()) {
      if (chat instanceof BrokenRow) continue;
      const tree = treeOf(chat);
      const places = placesIn(tree);
      for (const [id, node] of Object.entries(objectOf(chat.mapping))) {
        if (isEmptyNode(node) || besideOf(messageOf(node))) continue;
        yield { ...messageOf(node), ...places.get(id) };
      }
    }
  }

  private async *elements(): AsyncGenerator<RawRow | BrokenRow> {
    for (const name of this.files) {
      yield* jsonObjects(name, this.archive.read(name), 'no chat');
    }
  }
}

function chatIdOf(chat: RawRow): string | null {
  return textOf(chat.conversation_id) ?? textOf(chat.id);
}

async function beginsWithChat(archive: Archive, name: string): Promise<boolean> {
  try {
    for await (const element of jsonElements(name, archive.read(name))) {
      return objectOf(objectOf(element).mapping) === objectOf(element).mapping;
    }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
  }
  return false;
}

/** The root of a chat, and some of its branches, hold nothing. */
function isEmptyNode(node: unknown): boolean {
  return objectOf(node) === node && (objectOf(node).message ?? null) === null;
}

function messageOf(node: unknown): RawRow {
  return objectOf(objectOf(node).message);
}

/** Only what becomes a message stands in the tree: the parent of each is the nearest such one above it. */
function treeOf(chat: RawRow): ChatTree {
  const nodes = new Map(Object.entries(objectOf(chat.mapping)).map(([id, node]) => [id, objectOf(node)]));
  const said = [...nodes].filter(([, node]) => isSaid(messageOf(node)));
  const above = nearestOf(nodes, new Set(said.map(([id]) => id)));
  const messages: ChatTree['messages'] = new Map();
  for (const [id, node] of said) {
    const raw = messageOf(node);
    messages.set(id, { parent: above(textOf(node.parent)), role: authorOf(raw), raw });
  }
  const current = above(textOf(chat.current_node)) ?? [...messages.keys()].at(-1);
  return { chat: chatIdOf(chat) ?? '', current, messages };
}

function isSaid(message: RawRow): boolean {
  return AUTHORS.includes(authorOf(message)) && besideOf(message) === null;
}

/** Finds the node itself or the first above it that is among those meant. What was found on the way is remembered. */
function nearestOf(nodes: ReadonlyMap<string, RawRow>, meant: ReadonlySet<string>) {
  const known = new Map<string, string | null>();
  return (from: string | null): string | null => {
    const path = new Set<string>();
    let id = from;
    while (id !== null && nodes.has(id) && !meant.has(id) && !known.has(id) && !path.has(id)) {
      path.add(id);
      id = textOf(nodes.get(id)?.parent);
    }
    const found = id === null ? null : meant.has(id) ? id : (known.get(id) ?? null);
    for (const each of path) known.set(each, found);
    return found;
  };
}

export function authorOf(message: RawRow): string {
  return textOf(objectOf(message.author).role) ?? '';
}

/**
 * What ChatGPT itself does not show as part of the talk, by what it is; null for what it shows. Generated pictures come
 * from tools and are shown.
 */
function besideOf(message: RawRow): string | null {
  const type = textOf(objectOf(message.content).content_type) ?? 'text';
  const author = authorOf(message);
  const isHidden = objectOf(message.metadata).is_visually_hidden_from_conversation === true;
  if (isHidden || HIDDEN_CONTENT.includes(type)) return 'hidden';
  if (THOUGHT.includes(type) || message.channel === 'analysis') return 'thoughts';
  if (author === 'tool' && !hasPicture(message)) return 'what tools answered';
  if (author === 'assistant' && (textOf(message.recipient) ?? 'all') !== 'all') return 'what was asked of tools';
  return isSilent(message) ? 'without any content' : null;
}

function hasPicture(message: RawRow): boolean {
  const parts = listOf(objectOf(message.content).parts);
  return parts.some((part) => objectOf(part).content_type === 'image_asset_pointer');
}

/** Such as stand between a question and the tool that is asked. */
function isSilent(message: RawRow): boolean {
  const { parts, ...content } = objectOf(message.content);
  if (listOf(objectOf(message.metadata).attachments).length > 0) return false;
  return Array.isArray(parts) && parts.every(isBlank) && isBlank(content.text ?? '');
}

function isBlank(value: unknown): boolean {
  return typeof value === 'string' && value.trim() === '';
}
