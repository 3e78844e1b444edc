import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { audit } from '../../access/audit/audit.js';
import type { ServerPass } from '../../access/pass.js';
import type { Actor } from '../../auth/actor.js';
import { Database } from '../../platform/database/database.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import { CategoriesService } from '../channels/categories.service.js';
import { ChannelsService } from '../channels/channels.service.js';
import type { Role } from '../memberships/membership.entity.js';
import { MembershipsService } from '../memberships/memberships.service.js';
import { judgeInside } from '../memberships/server-rights.js';
import { deleteServer } from './delete-server.js';
import { type MyServerView, presentServer, type WholeServerView } from './server.presenter.js';
import { Server } from './server.entity.js';
import { ServerUpdated } from './servers.events.js';

interface ServerRow {
  id: string;
  name: string;
  iconUrl: string | null;
  createdAt: Date;
  role: Role;
}

interface ServerChange {
  name?: string | undefined;
  iconUrl?: string | null | undefined;
}

const SERVER_ROWS = `
  SELECT s.id, s.name, s.icon_url AS "iconUrl", s.created_at AS "createdAt", m.role
  FROM memberships m JOIN servers s ON s.id = m.server_id`;

@Injectable()
export class ServersService {
  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly categories: CategoriesService,
    private readonly channels: ChannelsService,
    private readonly memberships: MembershipsService,
  ) {}

  /** The servers of a person, oldest first. */
  async list({ userId }: Actor, { limit, cursor }: PageQuery): Promise<Page<MyServerView>> {
    const [after] = readCursor(cursor, ['id']) ?? [];
    const rows = await this.database.query<ServerRow>(
      `${SERVER_ROWS} WHERE m.user_id = $1 AND ($2::uuid IS NULL OR s.id > $2) ORDER BY s.id LIMIT $3`,
      [userId, after ?? null, limit + 1],
    );
    return pageOf(rows, limit, ({ id }) => [id], presentMine);
  }

  /** Its creator becomes its ADMIN, and it starts with a `general` channel. */
  async create(actor: Actor, name: string, iconUrl: string | undefined): Promise<WholeServerView> {
    const id = uuidv7();
    await this.work.run(async (tx) => {
      await tx.query(`INSERT INTO servers (id, name, icon_url, created_by) VALUES ($1, $2, $3, $4)`, [
        id,
        name,
        iconUrl ?? null,
        actor.userId,
      ]);
      await this.channels.insert(tx, id, { name: 'general', type: 'TEXT' });
      await this.memberships.join(tx, id, actor.userId, 'ADMIN');
    });
    return this.whole(id, actor.userId);
  }

  /** With its categories, its channels and the caller's role. */
  read({ serverId, actor }: ServerPass): Promise<WholeServerView> {
    return this.whole(serverId, actor.userId);
  }

  /** What is left out stays as it is. */
  async change(actor: Actor, serverId: string, { name, iconUrl }: ServerChange): Promise<MyServerView> {
    return this.work.run(async (tx) => {
      await judgeInside(tx, serverId, actor.userId, 'change-server');
      const details = { ...(name === undefined ? {} : { name }), ...(iconUrl === undefined ? {} : { iconUrl }) };
      await tx.manager.update(Server, { id: serverId }, { ...details, updatedAt: () => 'now()' });
      const row = await tx.one<ServerRow>(`${SERVER_ROWS} WHERE s.id = $1 AND m.user_id = $2`, [
        serverId,
        actor.userId,
      ]);
      if (!row) throw Problem.notFound('This server');
      await audit(tx, { serverId, actorId: actor.userId, action: 'server.updated', details });
      tx.announce(ServerUpdated([`server:${serverId}`], { server: presentServer(row) }));
      return presentMine(row);
    });
  }

  /** With everything in it. */
  async delete(actor: Actor, serverId: string): Promise<void> {
    await this.work.run(async (tx) => {
      await judgeInside(tx, serverId, actor.userId, 'change-server');
      await deleteServer(tx, serverId);
    });
  }

  private async whole(serverId: string, userId: string): Promise<WholeServerView> {
    const values = [serverId, userId];
    const row = await this.database.one<ServerRow>(`${SERVER_ROWS} WHERE s.id = $1 AND m.user_id = $2`, values);
    if (!row) throw Problem.notFound('This server');
    const [categories, channels] = await Promise.all([this.categories.of(serverId), this.channels.of(serverId)]);
    return { ...presentMine(row), categories, channels };
  }
}

function presentMine(row: ServerRow): MyServerView {
  return { ...presentServer(row), role: row.role };
}
