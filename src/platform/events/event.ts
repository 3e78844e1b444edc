/** Who hears an event: `user:<id>` or `server:<id>`. An event without an audience stays inside the house. */
export type Topic = `user:${string}` | `server:${string}`;

export interface DomainEvent<Data = unknown> {
  readonly type: string;
  readonly audience: readonly Topic[];
  /** Plain JSON: what the clients in the audience are told. */
  readonly data: Data;
}

export interface EventKind<Data> {
  (audience: readonly Topic[], data: Data): DomainEvent<Data>;
  readonly type: string;
}

/** Declares a kind of event. Call the kind to make an event of it; give it to EventBus.on to hear them. */
export function defineEvent<Data>(type: string): EventKind<Data> {
  const make = (audience: readonly Topic[], data: Data): DomainEvent<Data> => ({ type, audience, data });
  return Object.assign(make, { type });
}
