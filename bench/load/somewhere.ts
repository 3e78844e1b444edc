import type { Neighbourhood } from '../support/neighbourhood.js';

/** Any of these rooms, and any of its members by their place. */
export function somewhere(rooms: Neighbourhood['rooms']): { id: string; place: number } {
  const { id, members } = pick(rooms);
  return { id, place: pick(members) };
}

function pick<T>(items: T[]): T {
  return items[Math.floor(Math.random() * items.length)] as T;
}
