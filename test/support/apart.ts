import type { AddressInfo } from 'node:net';
import type { Actor } from '../../src/auth/actor.js';
import { TokensService } from '../../src/auth/tokens.service.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import type { DomainEvent } from '../../src/platform/events/event.js';
import { openSocket, type Socket } from './people.js';
import type { Services } from './services.js';

/** For two nodes that tell each other nothing: what another node announced comes to this one now. */
export function carryOver(here: Services, events: DomainEvent[]): void {
  for (const event of events) here.app.get(EventBus).hear({ ...event, afar: true });
}

/** Lets something happen once between the moment a service has read the database and the moment the answer is used. */
export function between<S extends object>(service: S, method: keyof S, act: () => Promise<unknown> | void): void {
  const original = (service[method] as (...args: unknown[]) => Promise<unknown>).bind(service);
  (service[method] as unknown) = async (...args: unknown[]) => {
    (service[method] as unknown) = original;
    const answer = await original(...args);
    await act();
    return answer;
  };
}

/** Lets a node that runs in this process listen; gives where. */
export async function listening({ app }: Services): Promise<string> {
  await app.listen(0, '127.0.0.1');
  return `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
}

/** A socket of this person on a node that listens there. */
export function socketTo(node: Services, url: string, { userId, loginId }: Actor, options = {}): Promise<Socket> {
  const { accessToken } = node.app.get(TokensService).issue(userId, loginId);
  return openSocket(url, '/api/v1/realtime', ['parley.v1', `bearer.${accessToken}`], options);
}
