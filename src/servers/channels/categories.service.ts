import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { audit, type AuditAction } from '../../access/audit/audit.js';
import type { Actor } from '../../auth/actor.js';
import { Database } from '../../platform/database/database.js';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { unlessBroken } from '../../platform/http/database-problem.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import { comparable } from '../../users/names.js';
import { judgeInside } from '../memberships/server-rights.js';
import { CATEGORY_COLUMNS, CategoryView } from './category.presenter.js';
import { CategoryDeleted, CategoryUpdated } from './channels.events.js';
import { makeRoomAt } from './positions.js';

/** Headings over channels. */
@Injectable()
export class CategoriesService {
  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
  ) {}

  /** All in `position` order; for those who have gone through the door of the server. */
  of(serverId: string): Promise<CategoryView[]> {
    return this.database.query(
      `SELECT ${CATEGORY_COLUMNS} FROM categories WHERE server_id = $1 ORDER BY position, id`,
      [serverId],
    );
  }

  async page(serverId: string, { limit, cursor }: PageQuery): Promise<Page<CategoryView>> {
    const [position, id] = readCursor(cursor, ['number', 'id']) ?? [];
    const rows = await this.database.query<CategoryView>(
      `SELECT ${CATEGORY_COLUMNS} FROM categories
       WHERE server_id = $1 AND ($2::bigint IS NULL OR (position, id) > ($2, $3)) ORDER BY position, id LIMIT $4`,
      [serverId, position ?? null, id ?? null, limit + 1],
    );
    return pageOf(
      rows,
      limit,
      (last) => [last.position, last.id],
      (category) => category,
    );
  }

  /** Throws 409 `name_taken`. */
  async create(actor: Actor, serverId: string, name: string, position?: number): Promise<CategoryView> {
    const id = uuidv7();
    return this.work.run(async (tx) => {
      await judgeInside(tx, serverId, actor.userId, 'change-channels');
      const moved = position === undefined ? [] : await makeRoomAt(tx, 'categories', serverId, position, id);
      await naming(
        tx.query(
          `INSERT INTO categories (id, server_id, name, name_key, position)
           SELECT $1, $2, $3, $4, coalesce($5, max(position) + 1, 0) FROM categories WHERE server_id = $2`,
          [id, serverId, name, comparable(name), position ?? null],
        ),
      );
      return this.announce(tx, actor, 'category.created', serverId, id, moved);
    });
  }

  /** Throws 404 where the server has no such category, 409 `name_taken`. */
  async change(
    actor: Actor,
    serverId: string,
    id: string,
    { name, position }: { name?: string | undefined; position?: number | undefined },
  ): Promise<CategoryView> {
    return this.work.run(async (tx) => {
      await judgeInside(tx, serverId, actor.userId, 'change-channels');
      const moved = position === undefined ? [] : await makeRoomAt(tx, 'categories', serverId, position, id);
      await naming(
        tx.query(
          `UPDATE categories SET name = coalesce($3, name), name_key = coalesce($4, name_key),
             position = coalesce($5, position) WHERE id = $1 AND server_id = $2`,
          [id, serverId, name ?? null, name === undefined ? null : comparable(name), position ?? null],
        ),
      );
      return this.announce(tx, actor, 'category.updated', serverId, id, moved);
    });
  }

  /** Its channels stay, under no heading. Throws 404. */
  async delete(actor: Actor, serverId: string, id: string): Promise<void> {
    await this.work.run(async (tx) => {
      await judgeInside(tx, serverId, actor.userId, 'change-channels');
      const gone = await tx.one<{ name: string }>(
        `DELETE FROM categories WHERE id = $1 AND server_id = $2 RETURNING name`,
        [id, serverId],
      );
      if (!gone) throw Problem.notFound('This category');
      await audit(tx, { serverId, actorId: actor.userId, action: 'category.deleted', targetId: id, details: gone });
      tx.announce(CategoryDeleted([`server:${serverId}`], { serverId, categoryId: id }));
    });
  }

  private async announce(
    tx: Tx,
    actor: Actor,
    action: AuditAction,
    serverId: string,
    id: string,
    moved: string[],
  ): Promise<CategoryView> {
    const rows = await tx.query<CategoryView>(
      `SELECT ${CATEGORY_COLUMNS} FROM categories WHERE server_id = $1 AND id = ANY($2) ORDER BY position DESC`,
      [serverId, [id, ...moved]],
    );
    const category = rows.find((row) => row.id === id);
    if (!category) throw Problem.notFound('This category');
    const { name, position } = category;
    await audit(tx, { serverId, actorId: actor.userId, action, targetId: id, details: { name, position } });
    for (const row of rows) tx.announce(CategoryUpdated([`server:${serverId}`], { category: row }));
    return category;
  }
}

function naming<T>(writing: Promise<T>): Promise<T> {
  return unlessBroken(writing, {
    categories_name_key: () => Problem.conflict('name_taken', 'This server has a category of that name.'),
  });
}
