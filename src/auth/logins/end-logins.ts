import type { Tx } from '../../platform/database/unit-of-work.js';
import { LoginEnded } from '../auth.events.js';

interface Which {
  only?: string;
  except?: string;
  /** The account is switched off: signing in again would not help. */
  accessEnded?: boolean;
}

/** Ends the living logins of a person, all or those chosen, at once for their tokens and open sockets. Gives their ids. */
export async function endLogins(
  tx: Tx,
  userId: string,
  { only, except, accessEnded = false }: Which = {},
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `UPDATE logins SET ended_at = now()
     WHERE user_id = $1 AND ended_at IS NULL AND ($2::uuid IS NULL OR id = $2) AND ($3::uuid IS NULL OR id <> $3)
     RETURNING id`,
    [userId, only ?? null, except ?? null],
  );
  const loginIds = rows.map(({ id }) => id);
  if (loginIds.length > 0) tx.announce(LoginEnded([], { userId, loginIds, accessEnded }));
  return loginIds;
}
