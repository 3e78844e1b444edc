import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { AccessService } from '../../access/access.service.js';
import { AUDIT_ACTIONS, type AuditAction } from '../../access/audit/audit.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { Database } from '../../platform/database/database.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { FIRST_ID, LAST_ID, type Page, pageOf, PageQuery, readCursor } from '../../platform/http/paging.js';
import { presentProfile, Profile } from '../../users/profile.presenter.js';
import type { UserKind } from '../../users/user.entity.js';

export class AuditEntryView {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ type: Profile, nullable: true, description: 'Null once the account is gone.' }) actor: Profile | null;
  @ApiProperty({ enum: AUDIT_ACTIONS }) action: AuditAction;
  @ApiProperty({ type: String, nullable: true, format: 'uuid', description: 'Whom or what it was done to.' })
  targetId: string | null;
  @ApiProperty({ type: Object, description: 'What changed.', example: { role: 'MODERATOR' } })
  details: Record<string, unknown>;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
}

interface EntryRow {
  id: string;
  action: AuditAction;
  targetId: string | null;
  details: Record<string, unknown> | null;
  createdAt: Date;
  actorId: string | null;
  username: string;
  displayName: string;
  avatarUrl: string | null;
  kind: UserKind;
}

@ApiTags('servers')
@SignedIn()
@Controller('api/v1/servers/:id/audit')
export class AuditLogController {
  constructor(
    private readonly access: AccessService,
    private readonly database: Database,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Who changed what, newest first; for ADMIN' })
  @ApiPage(AuditEntryView)
  async list(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Query() { limit, cursor }: PageQuery,
  ): Promise<Page<AuditEntryView>> {
    const { serverId } = await this.access.enterServer(caller, id, 'read-audit');
    const [before] = readCursor(cursor, ['id']) ?? [];
    const rows = await this.database.query<EntryRow>(
      // Who did it is looked up for the page alone: joined before, the whole log was read and sorted for it.
      `SELECT a.id, a.action, a.target_id AS "targetId", a.details, a.created_at AS "createdAt", u.id AS "actorId",
         u.username, u.display_name AS "displayName", u.avatar_url AS "avatarUrl", u.kind
       FROM (
         SELECT * FROM audit_log WHERE (server_id, id) >= ($1, $2) AND (server_id, id) < ($1, $3)
         ORDER BY server_id DESC, id DESC LIMIT $4
       ) a LEFT JOIN users u ON u.id = a.actor_id
       ORDER BY a.id DESC`,
      [serverId, FIRST_ID, before ?? LAST_ID, limit + 1],
    );
    return pageOf(rows, limit, ({ id }) => [id], presentEntry);
  }
}

function presentEntry({ id, action, targetId, details, createdAt, actorId, ...profile }: EntryRow): AuditEntryView {
  const actor = actorId ? presentProfile({ id: actorId, ...profile }) : null;
  return { id, actor, action, targetId, details: details ?? {}, createdAt: createdAt.toISOString() };
}
