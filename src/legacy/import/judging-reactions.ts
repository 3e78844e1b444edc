import type { Client } from 'pg';
import { MAX_KINDS } from '../../messages/reactions/reaction.entity.js';
import { refuse, refuseTwice } from './refusing.js';

/** Leaves `known_reactions`, those of an earlier run, and `given`, the new ones with what they are given to. */
export async function judgeReactions(client: Client, scope: string): Promise<void> {
  await refuseTwice(client, 'old_reactions');
  await client.query(
    `CREATE TEMP TABLE known_reactions ON COMMIT DROP AS
     SELECT o.n FROM old_reactions o
     JOIN imported_ids k ON k.kind = 'reaction' AND k.external_id = o.ext AND k.scope = $1`,
    [scope],
  );
  await client.query(GIVEN, [scope]);
  await client.query(`ANALYZE given`);
  await refuseGiven(
    client,
    `CASE WHEN room IS NULL THEN 'its conversation is missing or was not carried'
       WHEN was_there THEN 'its message has been deleted since it was carried'
       ELSE 'its message is missing or was not carried' END`,
    `SELECT n, room, was_there FROM given WHERE message IS NULL`,
  );
  await refuseGiven(
    client,
    `'duplicate: this person has reacted with it already'`,
    `SELECT n FROM (
       SELECT n, row_number() OVER (PARTITION BY room, message, person, emoji ORDER BY n) AS nth FROM given
     ) each WHERE nth > 1`,
  );
  await refuseGiven(client, `'its message has ${MAX_KINDS} other kinds of reaction'`, BEYOND_KINDS);
}

async function refuseGiven(client: Client, reason: string, which: string): Promise<void> {
  await refuse(client, 'old_reactions', reason, `JOIN (${which}) bad ON bad.n = o.n`);
  await client.query(`DELETE FROM given WHERE n NOT IN (SELECT n FROM old_reactions)`);
}

/** A message may be new, or here from an earlier run, be it that it was edited there since. */
const GIVEN = `
  CREATE TEMP TABLE given ON COMMIT DROP AS
  SELECT o.n, o.ext, r.id AS room, coalesce(here.id, fresh.id) AS message, fresh.n AS message_n, o.person, o.emoji,
    coalesce(o.created, here.created_at, fresh.created, r.created) AS created_at, known.target_id IS NOT NULL AS was_there,
    coalesce(jsonb_array_length(here.reactions), 0) AS kinds,
    coalesce(here.reactions @> jsonb_build_array(jsonb_build_object('emoji', o.emoji)), false) AS is_old_kind,
    EXISTS (
      SELECT 1 FROM reactions mine WHERE mine.conversation_id = r.id AND mine.message_id = here.id
        AND mine.user_id = o.person AND mine.emoji = o.emoji) AS is_there
  FROM old_reactions o
  LEFT JOIN rooms r ON r.ext = o.room_ext AND r.refusal IS NULL
  LEFT JOIN imported_ids known ON known.kind = 'message' AND known.external_id = o.message_ext AND known.scope = $1
  LEFT JOIN messages here
    ON here.conversation_id = r.id AND here.id = known.target_id AND here.deleted_at IS NULL
  LEFT JOIN old_messages fresh
    ON known.target_id IS NULL AND fresh.ext = o.message_ext AND fresh.room_ext = o.room_ext
  WHERE NOT EXISTS (SELECT 1 FROM known_reactions k WHERE k.n = o.n)`;

const BEYOND_KINDS = `
  SELECT given.n FROM given JOIN (
    SELECT room, message, emoji, kinds + row_number() OVER (PARTITION BY room, message ORDER BY min(n)) AS nth
    FROM given WHERE NOT is_old_kind GROUP BY room, message, emoji, kinds
  ) kind ON kind.room = given.room AND kind.message = given.message AND kind.emoji = given.emoji
  WHERE kind.nth > ${MAX_KINDS}`;
