import { peopleOf } from '../../access/facts.js';
import { type AnsweringAgent, type HouseVoice, Writer } from '../../access/pass.js';
import { verdict } from '../../access/verdict.js';
import type { Tx } from '../../platform/database/unit-of-work.js';
import { namedIn } from './named.js';

/** Whom a text may mention: the names in it, and the people among whom they are looked for. */
export interface Mentioning {
  names: string[][] | null;
  serverId: string | null;
  userIds: string[];
  everyone: boolean;
  /** Those among them who are here are still to be named: by WhoIsHere. */
  here: boolean;
}

const NOBODY: Mentioning = { names: null, serverId: null, userIds: [], everyone: false, here: false };

/** Only moderators mention everybody, or all who are here; from others it is text. What an agent or the house says mentions nobody. */
export function mentioning(pass: Writer | AnsweringAgent | HouseVoice, content: string): Mentioning {
  if (!(pass instanceof Writer)) return NOBODY;
  const { names, everyone, here } = namedIn(content);
  const mayMentionMany = (everyone || here) && verdict(pass.standing, 'moderate') === 'allow';
  return {
    names: names.length > 0 ? names : null,
    serverId: pass.room.serverId,
    userIds: names.length > 0 || mayMentionMany ? peopleOf(pass.room) : [],
    everyone: everyone && mayMentionMany,
    here: here && !everyone && mayMentionMany,
  };
}

/** Mentions anew, in an edit of a message: resolved as append_messages does. */
export async function storeMentions(
  tx: Tx,
  message: { conversationId: string; seq: number; authorId: string | null },
  { names, serverId, userIds, everyone }: Mentioning,
): Promise<void> {
  const key = [message.conversationId, message.seq];
  const row = await tx.one<{ mentions: string[] | null }>(
    `UPDATE messages SET mentions = CASE WHEN $3::jsonb IS NOT NULL THEN resolve_mentions($3, $4, $5) END,
       mentions_everyone = $6
     WHERE conversation_id = $1 AND seq = $2 RETURNING mentions`,
    [...key, names && JSON.stringify(names), serverId, userIds, everyone],
  );
  // Before the earlier rows go: the deletion of an account locks the person first, and what mentions them after that.
  const people = await tx.query<{ id: string }>(
    `SELECT id FROM users WHERE id = ANY($1) AND id IS DISTINCT FROM $2 ORDER BY id FOR KEY SHARE`,
    [row?.mentions ?? [], message.authorId],
  );
  await tx.query(`DELETE FROM mentions WHERE conversation_id = $1 AND seq = $2`, key);
  await tx.query(`INSERT INTO mentions (conversation_id, seq, user_id) SELECT $1, $2, unnest($3::uuid[])`, [
    ...key,
    people.map(({ id }) => id),
  ]);
}
