import { textOf } from '../json.js';
import type { RawRow, Row } from '../row.js';
import type { OldMessage, OldRevision } from '../source.js';
import { storable, UnreadableValue } from '../values.js';

/** Who speaks, as the APIs of models call it. */
export const ROLES = new Map<string, OldMessage['role']>([
  ['user', 'user'],
  ['assistant', 'agent'],
  ['system', 'system'],
]);

/** A chat of which every answer can have several: by id, the message before it and who speaks. */
export interface ChatTree {
  chat: string;
  /** The last message of the branch that is shown. */
  current: string | undefined;
  messages: Map<string, { parent: string | null; role: string | null; raw: RawRow }>;
}

/** Where a message stands: on the branch that is shown, or as an earlier form of one that does. */
export type Place = { id: string; chat_id: string } & ({ shown_as: number } | { revision_of: string });

/** The place of every message. Parents that are missing or go in a circle end a branch. */
export function placesIn({ chat, current, messages }: ChatTree): Map<string, Place> {
  const shown = branchTo(current, messages);
  const places = new Map<string, Place>();
  const name = (id: string) => `${chat}-${id}`;
  shown.forEach((id, at) => places.set(id, { id: name(id), chat_id: chat, shown_as: at }));
  const depths = new Map(shown.map((id, at) => [id, at]));
  for (const [id, { role }] of messages) {
    if (places.has(id)) continue;
    const of = counterpart(depthOf(id, messages, depths), role, shown, messages);
    places.set(id, { id: name(id), chat_id: chat, revision_of: name(of) });
  }
  return places;
}

/** What a row of a tree is by its place: a message, or an earlier form of one, of which only the text is kept. */
export function readPlaced(
  row: Row,
  said: Pick<OldMessage, 'content' | 'createdAt'>,
  asMessage: () => Pick<OldMessage, 'role' | 'tokensUsed' | 'metadata'>,
): OldMessage | OldRevision {
  const id = row.needId('id');
  const conversation = row.needId('chat_id');
  const message = row.id('revision_of');
  if (message !== null) return { kind: 'revision', id, conversation, message, ...said };
  const order = row.number('shown_as') ?? 0;
  return { kind: 'message', id, conversation, author: null, ...said, ...asMessage(), order };
}

/** Throws UnreadableValue where the row has no place in its chat. */
export function mustHavePlace(row: Row): void {
  if (!row.has('shown_as') && !row.has('revision_of')) throw new UnreadableValue('its chat is missing or unreadable');
}

/** The agent that a model becomes. */
export function agentSlugOf(model: unknown): string | null {
  return storable(textOf(model)?.slice(0, 100) ?? '') || null;
}

function branchTo(current: string | undefined, messages: ChatTree['messages']): string[] {
  const branch: string[] = [];
  const seen = new Set<string>();
  for (let id: string | null | undefined = current; id && messages.has(id) && !seen.has(id);) {
    seen.add(id);
    branch.push(id);
    id = messages.get(id)?.parent;
  }
  return branch.reverse();
}

/** How many come before it; what is found on the way is remembered. */
function depthOf(id: string, messages: ChatTree['messages'], depths: Map<string, number>): number {
  const path: string[] = [];
  const seen = new Set<string>();
  let at: string | null | undefined = id;
  while (at && messages.has(at) && !depths.has(at) && !seen.has(at)) {
    seen.add(at);
    path.push(at);
    at = messages.get(at)?.parent;
  }
  let depth = (at ? depths.get(at) : undefined) ?? -1;
  for (const each of path.reverse()) depths.set(each, ++depth);
  return depth;
}

/** The shown message as deep as that, or the nearest above and else below that the same side said. */
function counterpart(depth: number, role: string | null, shown: string[], messages: ChatTree['messages']): string {
  const at = Math.min(depth, shown.length - 1);
  const said = (id: string) => messages.get(id)?.role === role;
  return shown.slice(0, at + 1).findLast(said) ?? shown.slice(at + 1).find(said) ?? (shown[at] as string);
}
