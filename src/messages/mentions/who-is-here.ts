import { Injectable } from '@nestjs/common';
import type { AnsweringAgent, HouseVoice, Writer } from '../../access/pass.js';
import { Database } from '../../platform/database/database.js';
import { Roster } from '../../users/presence/roster.js';
import type { Mentioning } from './mentioning.js';

/** Each is named in the message, which goes to everybody: of more than that everybody is mentioned. */
const MOST = 500;

/** Says whom `@here` means: who looks to the others of the room as if they were here when it is written. */
@Injectable()
export class WhoIsHere {
  constructor(
    private readonly database: Database,
    private readonly roster: Roster,
  ) {}

  /** Names them as if the text had, behind those whom it names. They are judged once more as the message is stored. */
  async named(pass: Writer | AnsweringAgent | HouseVoice, mentioning: Mentioning): Promise<Mentioning> {
    if (!mentioning.here) return mentioning;
    const { names, serverId, userIds } = mentioning;
    const people = await this.database.query<{ name: string }>(
      `SELECT u.username_key AS name FROM users u
       WHERE u.id = ANY($1) AND u.id IS DISTINCT FROM $2 AND (u.id = ANY($3) OR EXISTS (
         SELECT 1 FROM memberships m WHERE m.server_id = $4 AND m.user_id = u.id
       )) LIMIT $5`,
      [this.roster.peopleHere, pass.author?.id ?? null, userIds, serverId, MOST + 1],
    );
    if (people.length > MOST) return { ...mentioning, everyone: true };
    const all = [...(names ?? []), ...people.map(({ name }) => [name])];
    return { ...mentioning, names: all.length > 0 ? all : null };
  }
}
