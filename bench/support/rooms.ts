import type { DataSource } from 'typeorm';

/** Channels, and the servers that they are in, all in SQL. */
export async function insertRooms(dataSource: DataSource, rooms: { id: string; serverId: string }[]): Promise<void> {
  const ids = rooms.map(({ id }) => id);
  const serverIds = rooms.map(({ serverId }) => serverId);
  await dataSource.query(`INSERT INTO servers (id, name) SELECT DISTINCT id, 'bench' FROM unnest($1::uuid[]) id`, [
    serverIds,
  ]);
  await dataSource.query(`INSERT INTO conversations (id, kind) SELECT id, 'channel' FROM unnest($1::uuid[]) id`, [ids]);
  await dataSource.query(
    `INSERT INTO channels (id, server_id, name, name_key, type, position)
     SELECT id, server_id, 'c' || n, 'c' || n, 'TEXT', n
     FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS t (id, server_id, n)`,
    [ids, serverIds],
  );
}

export async function insertMembers(
  dataSource: DataSource,
  members: { serverId: string; userId: string }[],
): Promise<void> {
  await dataSource.query(
    `INSERT INTO memberships (server_id, user_id, role)
     SELECT server_id, user_id, 'MEMBER' FROM unnest($1::uuid[], $2::uuid[]) t (server_id, user_id)`,
    [members.map(({ serverId }) => serverId), members.map(({ userId }) => userId)],
  );
}
