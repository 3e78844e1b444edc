import { Injectable } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { audit } from '../../access/audit/audit.js';
import type { ServerPass } from '../../access/pass.js';
import type { Actor } from '../../auth/actor.js';
import { Database } from '../../platform/database/database.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { unlessBroken } from '../../platform/http/database-problem.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import { presentProfile, Profile, PROFILE_COLUMNS } from '../../users/profile.presenter.js';
import { MembershipsService } from '../memberships/memberships.service.js';
import { judgeInside } from '../memberships/server-rights.js';

export class BanView {
  @ApiProperty({ type: Profile }) user: Profile;
  @ApiProperty({ type: String, nullable: true, format: 'uuid' }) bannedBy: string | null;
  @ApiProperty({ type: String, nullable: true }) reason: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
}

type BanRow = Profile & Pick<BanView, 'bannedBy' | 'reason'> & { createdAt: Date };

@Injectable()
export class BansService {
  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly memberships: MembershipsService,
  ) {}

  async list({ serverId }: ServerPass, { limit, cursor }: PageQuery): Promise<Page<BanView>> {
    const [after] = readCursor(cursor, ['id']) ?? [];
    const rows = await this.database.query<BanRow>(
      `SELECT ${PROFILE_COLUMNS},
         b.banned_by AS "bannedBy", b.reason, b.created_at AS "createdAt"
       FROM (
         SELECT * FROM bans WHERE server_id = $1 AND ($2::uuid IS NULL OR user_id > $2) ORDER BY user_id LIMIT $3
       ) b JOIN users u ON u.id = b.user_id ORDER BY b.user_id`,
      [serverId, after ?? null, limit + 1],
    );
    return pageOf(rows, limit, ({ id }) => [id], presentBan);
  }

  /** Removes them where they are a member. Throws 403 for a role equal or above, 404 for nobody. */
  async ban(actor: Actor, serverId: string, userId: string, reason: string | undefined): Promise<void> {
    await this.work.run(async (tx) => {
      const role = await judgeInside(tx, serverId, actor.userId, 'ban-member', { userId, orStranger: true });
      if (userId === actor.userId) throw Problem.forbidden('Nobody bans themselves.');
      if (role) await this.memberships.takeOut(tx, serverId, userId);
      const banned = await unlessBroken(
        tx.query(
          `INSERT INTO bans (server_id, user_id, banned_by, reason) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING RETURNING 1`,
          [serverId, userId, actor.userId, reason ?? null],
        ),
        { bans_user_fk: () => Problem.notFound('This person') },
      );
      if (banned.length === 0) return;
      const details = reason === undefined ? undefined : { reason };
      await audit(tx, { serverId, actorId: actor.userId, action: 'member.banned', targetId: userId, details });
    });
  }

  /** Throws 404 where there is no such ban. */
  async lift(actor: Actor, serverId: string, userId: string): Promise<void> {
    await this.work.run(async (tx) => {
      await judgeInside(tx, serverId, actor.userId, 'ban-member');
      const lifted = await tx.query(`DELETE FROM bans WHERE server_id = $1 AND user_id = $2 RETURNING 1`, [
        serverId,
        userId,
      ]);
      if (lifted.length === 0) throw Problem.notFound('This ban');
      await audit(tx, { serverId, actorId: actor.userId, action: 'member.unbanned', targetId: userId });
    });
  }
}

function presentBan({ bannedBy, reason, createdAt, ...profile }: BanRow): BanView {
  return { user: presentProfile(profile), bannedBy, reason, createdAt: createdAt.toISOString() };
}
