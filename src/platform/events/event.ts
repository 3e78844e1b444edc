/**
 * Who hears an event: a person, the members of a server, the sockets that show a conversation, those that show whether
 * somebody (a person, or the members of a server) is here, those told of all typing in a server, and all advocates. An
 * event without an audience stays inside the house.
 */
export type Topic = `${'user' | 'server' | 'conversation' | 'presence' | 'typing'}:${string}` | 'advocates';

export interface DomainEvent<Data = unknown> {
  readonly type: string;
  readonly audience: readonly Topic[];
  /** Plain JSON: what the clients in the audience are told. */
  readonly data: Data;
  /** What some of them on this node are told instead, because it looks different to them. */
  readonly personal?: readonly Personal<Data>[];
  /** Whose sockets are told nothing of it, wherever they listen. */
  readonly except?: string;
  /** Of a thread: the conversation it hangs in. Who has left that is told nothing. */
  readonly within?: string;
  /** Nobody on another node has any use for it. */
  readonly here?: true;
  /** It comes from another node, perhaps long after it happened. */
  readonly afar?: true;
}

export interface Personal<Data = unknown> {
  readonly userIds: readonly string[];
  readonly data: Data;
}

export interface EventKind<Data> {
  (audience: readonly Topic[], data: Data): DomainEvent<Data>;
  readonly type: string;
}

/** Declares a kind of event. Call the kind to make an event of it; give it to EventBus.on to hear them. */
export function defineEvent<Data>(type: string, where?: 'here'): EventKind<Data> {
  const flag = where === 'here' ? { here: true as const } : {};
  const make = (audience: readonly Topic[], data: Data): DomainEvent<Data> => ({ type, audience, data, ...flag });
  return Object.assign(make, { type });
}
