import type { Tx } from '../../platform/database/unit-of-work.js';
import { Problem } from '../../platform/http/problem.js';
import { presentProfile, type Profile } from '../../users/profile.presenter.js';

/** Gives an advocate, who stays one until the transaction ends; nothing for anybody else. */
async function lockAdvocate(tx: Tx, userId: string): Promise<Profile | undefined> {
  const row = await tx.one<Profile>(
    `SELECT id, username, display_name AS "displayName", avatar_url AS "avatarUrl", kind
     FROM users WHERE id = $1 AND is_advocate AND disabled_at IS NULL FOR SHARE`,
    [userId],
  );
  return row && presentProfile(row);
}

/** Throws 400 naming `advocateId` where it names no advocate, or the owner, who cannot be their own. */
export async function advocateFor(tx: Tx, ownerId: string, advocateId: string): Promise<Profile> {
  if (advocateId === ownerId) throw Problem.invalid('advocateId', 'names the owner of the session');
  const advocate = await lockAdvocate(tx, advocateId);
  if (!advocate) throw Problem.invalid('advocateId', 'names no advocate');
  return advocate;
}

/** The caller as an advocate. Throws 404 in the words of the door: to others there is nothing in the queue. */
export async function asAdvocate(tx: Tx, userId: string): Promise<Profile> {
  const advocate = await lockAdvocate(tx, userId);
  if (!advocate) throw Problem.notFound('This conversation');
  return advocate;
}
