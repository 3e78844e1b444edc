import { ApiProperty } from '@nestjs/swagger';
import { presentProfile, Profile, profileJson } from '../../users/profile.presenter.js';

/**
 * All that an advocate is told of a session before they have it: who waits, and since when. Not its title, which may
 * be the beginning of what was said.
 */
export class QueuedSession {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ type: Profile }) owner: Profile;
  @ApiProperty({ format: 'date-time' }) waitingSince: string;
}

/** Whether the session `s` waits for an advocate. */
export const WAITS = `(s.type = 'peer' AND s.status = 'open' AND s.advocate_id IS NULL)`;

export interface QueuedRow {
  id: string;
  queuedAt: Date;
  owner: Profile;
}

/** Waiting sessions `s` with their owners. */
export const QUEUED_ROWS = `
  SELECT s.id, s.queued_at AS "queuedAt", ${profileJson('owner')} AS owner
  FROM sessions s JOIN users owner ON owner.id = s.owner_id
  WHERE ${WAITS}`;

export function presentQueued({ id, queuedAt, owner }: QueuedRow): QueuedSession {
  return { id, owner: presentProfile(owner), waitingSince: queuedAt.toISOString() };
}
