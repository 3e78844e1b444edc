import { StandingChanged } from '../../access/access.events.js';
import { deleteConversations } from '../../conversations/delete-conversations.js';
import type { Tx } from '../../platform/database/unit-of-work.js';
import { ServerDeleted } from './servers.events.js';

/** With its channels and all that was said in them. Whoever calls this has locked it, so that none is added meanwhile. */
export async function deleteServer(tx: Tx, serverId: string): Promise<void> {
  const channels = await tx.query<{ id: string }>(`SELECT id FROM channels WHERE server_id = $1`, [serverId]);
  await deleteConversations(
    tx,
    channels.map(({ id }) => id),
  );
  await tx.query(`DELETE FROM servers WHERE id = $1`, [serverId]);
  tx.announce(StandingChanged([], { scope: `server:${serverId}` }));
  tx.announce(ServerDeleted([`server:${serverId}`], { serverId }));
}
