import { Injectable, Logger } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { AccessService } from '../../access/access.service.js';
import { audit } from '../../access/audit/audit.js';
import type { ServerPass } from '../../access/pass.js';
import type { Actor } from '../../auth/actor.js';
import { MessagesService } from '../../messages/messages.service.js';
import { Database } from '../../platform/database/database.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import { Limits } from '../../platform/limits/limits.js';
import { MembershipsService } from '../memberships/memberships.service.js';
import { judgeInside } from '../memberships/server-rights.js';
import { ServersService } from '../servers/servers.service.js';
import type { WholeServerView } from '../servers/server.presenter.js';
import type { InviteBody, InvitePreview, InviteView } from './invites.dto.js';

type InviteRow = Omit<InviteView, 'expiresAt' | 'createdAt'> & { expiresAt: Date | null; createdAt: Date };

const COLUMNS = `code, server_id AS "serverId", created_by AS "createdBy", max_uses AS "maxUses", uses,
  expires_at AS "expiresAt", created_at AS "createdAt"`;
/** By the clock at that moment: of a transaction that has waited, `now()` is the time before. */
const GOOD = `(expires_at IS NULL OR expires_at > clock_timestamp()) AND (max_uses IS NULL OR uses < max_uses)`;

@Injectable()
export class InvitesService {
  private readonly logger = new Logger(InvitesService.name);

  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly access: AccessService,
    private readonly memberships: MembershipsService,
    private readonly servers: ServersService,
    private readonly messages: MessagesService,
    private readonly limits: Limits,
  ) {}

  /** All that were made, used up and expired ones too, newest first. */
  async list({ serverId }: ServerPass, { limit, cursor }: PageQuery): Promise<Page<InviteView>> {
    const [time, code] = readCursor(cursor, ['time', 'string']) ?? [];
    const rows = await this.database.query<InviteRow>(
      `SELECT ${COLUMNS} FROM invites
       WHERE server_id = $1 AND ($2::timestamptz IS NULL OR (created_at, code) < ($2, $3))
       ORDER BY created_at DESC, code DESC LIMIT $4`,
      [serverId, time ?? null, code ?? null, limit + 1],
    );
    return pageOf(rows, limit, (row) => [row.createdAt.toISOString(), row.code], presentInvite);
  }

  async create(actor: Actor, serverId: string, { maxUses, expiresIn }: InviteBody): Promise<InviteView> {
    const code = randomBytes(12).toString('base64url');
    return this.work.run(async (tx) => {
      await judgeInside(tx, serverId, actor.userId, 'invite');
      const [row] = await tx.query<InviteRow>(
        `INSERT INTO invites (code, server_id, created_by, max_uses, expires_at)
         VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5)) RETURNING ${COLUMNS}`,
        [code, serverId, actor.userId, maxUses ?? null, expiresIn ?? null],
      );
      // The code itself would let every reader of the log in.
      const details = { maxUses: maxUses ?? null, expiresIn: expiresIn ?? null };
      await audit(tx, { serverId, actorId: actor.userId, action: 'invite.created', details });
      return presentInvite(row as InviteRow);
    });
  }

  /** Throws 404 where this server has no such invite. */
  async delete(actor: Actor, serverId: string, code: string): Promise<void> {
    await this.work.run(async (tx) => {
      await judgeInside(tx, serverId, actor.userId, 'invite');
      const gone = await tx.query(`DELETE FROM invites WHERE code = $1 AND server_id = $2 RETURNING 1`, [
        code,
        serverId,
      ]);
      if (gone.length === 0) throw Problem.notFound('This invite');
      await audit(tx, { serverId, actorId: actor.userId, action: 'invite.deleted' });
    });
  }

  /** What somebody sees before they come in. Throws 404 for one that is not good, 429 for too many tries. */
  async preview({ userId }: Actor, code: string): Promise<InvitePreview> {
    await this.limits.spend('invite by account', userId);
    const row = await this.database.one<InvitePreview['server'] & { expiresAt: Date | null }>(
      `SELECT s.id, s.name, s.icon_url AS "iconUrl", invites.expires_at AS "expiresAt"
       FROM invites JOIN servers s ON s.id = invites.server_id WHERE code = $1 AND ${GOOD}`,
      [code],
    );
    if (!row) throw Problem.notFound('This invite');
    await this.limits.giveBack('invite by account', userId);
    const { expiresAt, ...server } = row;
    return { code, server, expiresAt: expiresAt?.toISOString() ?? null };
  }

  /**
   * Makes the caller a member, or leaves them one. Throws 404 for an invite that is not good or no longer, 403
   * `banned`, 429 for too many tries.
   */
  async accept(actor: Actor, code: string): Promise<{ server: WholeServerView; joined: boolean }> {
    await this.limits.spend('invite by account', actor.userId);
    const { serverId, joined } = await this.work.run(async (tx) => {
      const invite = await tx.one<{ serverId: string }>(`SELECT server_id AS "serverId" FROM invites WHERE code = $1`, [
        code,
      ]);
      if (!invite) throw Problem.notFound('This invite');
      const { serverId } = invite;
      // Those who race for the last use take turns from here on.
      await tx.query(`SELECT 1 FROM servers WHERE id = $1 FOR NO KEY UPDATE`, [serverId]);
      const member = await tx.one(`SELECT 1 FROM memberships WHERE server_id = $1 AND user_id = $2`, [
        serverId,
        actor.userId,
      ]);
      if (member) return { serverId, joined: false };
      const used = await tx.query(`UPDATE invites SET uses = uses + 1 WHERE code = $1 AND ${GOOD} RETURNING 1`, [code]);
      if (used.length === 0) throw Problem.notFound('This invite');
      await this.memberships.join(tx, serverId, actor.userId, 'MEMBER');
      await audit(tx, { serverId, actorId: actor.userId, action: 'member.joined', targetId: actor.userId });
      return { serverId, joined: true };
    });
    await this.limits.giveBack('invite by account', actor.userId);
    if (joined) await this.greet(actor, serverId);
    const pass = await this.access.enterServer(actor, serverId, 'see');
    return { server: await this.servers.read(pass), joined };
  }

  /** In the first channel that takes text. Who has come in stays in, whether or not it can be said. */
  private async greet(actor: Actor, serverId: string): Promise<void> {
    try {
      await this.sayJoined(actor, serverId);
    } catch (error) {
      this.logger.warn({ err: error as Error, serverId, userId: actor.userId }, 'nobody was told who came in');
    }
  }

  private async sayJoined({ userId, profile }: Actor, serverId: string): Promise<void> {
    const channel = await this.database.one<{ id: string }>(
      `SELECT id FROM channels WHERE server_id = $1 AND type = 'TEXT' ORDER BY position, id LIMIT 1`,
      [serverId],
    );
    const voice = channel && (await this.access.enterAsHouse(channel.id));
    if (!voice) return;
    const metadata = { event: 'member.joined', userId };
    await this.messages.append(voice, { content: `${profile.displayName} joined.`, metadata });
  }
}

function presentInvite({ expiresAt, createdAt, ...invite }: InviteRow): InviteView {
  return { ...invite, expiresAt: expiresAt?.toISOString() ?? null, createdAt: createdAt.toISOString() };
}
