import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { Problem } from '../../platform/http/problem.js';

/** Each holds a connection of the pool for as long as its reader takes. */
const AT_ONCE = 2;

/**
 * What an account owns, part by part: `$1` is whose. Each row becomes one line, `{ "type": ..., ...columns }`. Hashes,
 * tokens and keys are no part of it.
 */
const PARTS: { type: string; sql: string }[] = [
  {
    type: 'account',
    sql: `SELECT id, username, email, display_name AS "displayName", avatar_url AS "avatarUrl", kind,
            is_admin AS "isAdmin", is_advocate AS "isAdvocate", created_at AS "createdAt" FROM users WHERE id = $1`,
  },
  {
    type: 'login',
    sql: `SELECT id, device, address, created_at AS "createdAt", last_used_at AS "lastUsedAt", ended_at AS "endedAt"
          FROM logins WHERE user_id = $1`,
  },
  {
    type: 'event',
    sql: `SELECT id, kind, device, address, created_at AS "createdAt" FROM account_events WHERE user_id = $1`,
  },
  {
    type: 'credential',
    sql: `SELECT id, provider, label, last4, created_at AS "createdAt" FROM credentials WHERE user_id = $1`,
  },
  {
    type: 'membership',
    sql: `SELECT m.server_id AS "serverId", s.name AS server, m.role, m.joined_at AS "joinedAt"
          FROM memberships m JOIN servers s ON s.id = m.server_id WHERE m.user_id = $1`,
  },
  {
    type: 'session',
    sql: `SELECT id, type AS kind, status, title, agent_id AS "agentId", advocate_id AS "advocateId",
            external_id AS "externalId", created_at AS "createdAt", updated_at AS "updatedAt"
          FROM sessions WHERE owner_id = $1`,
  },
  {
    type: 'direct',
    sql: `SELECT d.id, d.created_at AS "createdAt",
            (SELECT json_agg(o.user_id) FROM direct_participants o WHERE o.direct_id = d.id) AS "userIds"
          FROM direct_participants p JOIN directs d ON d.id = p.direct_id WHERE p.user_id = $1`,
  },
  {
    type: 'ban',
    sql: `SELECT b.server_id AS "serverId", b.reason, b.created_at AS "createdAt" FROM bans b WHERE b.user_id = $1`,
  },
  {
    type: 'moderation',
    sql: `SELECT a.server_id AS "serverId", a.action, a.target_id AS "targetId", a.details,
            a.created_at AS "createdAt" FROM audit_log a WHERE a.actor_id = $1`,
  },
  {
    type: 'presence',
    sql: `SELECT choice AS status, chosen_at AS "chosenAt" FROM presence_choices WHERE user_id = $1`,
  },
  {
    type: 'notifications',
    sql: `SELECT conversation_id AS "conversationId", NULL AS "serverId", level, muted_until AS "mutedUntil"
          FROM conversation_notifications WHERE user_id = $1
          UNION ALL
          SELECT NULL, server_id, level, muted_until FROM server_notifications WHERE user_id = $1`,
  },
  {
    type: 'usage',
    sql: `SELECT agent_id AS "agentId", tokens, created_at AS "createdAt" FROM token_usage WHERE user_id = $1`,
  },
  {
    type: 'readMarker',
    sql: `SELECT conversation_id AS "conversationId", seq, updated_at AS "updatedAt"
          FROM read_markers WHERE user_id = $1`,
  },
  {
    type: 'attachment',
    sql: `SELECT id, conversation_id AS "conversationId", message_id AS "messageId", name, type AS "contentType", size,
            created_at AS "createdAt" FROM attachments WHERE uploader_id = $1`,
  },
  { type: 'message', sql: messages(`m.author_id = $1`) },
  {
    type: 'message',
    sql: messages(`m.conversation_id IN (
        SELECT id FROM sessions WHERE owner_id = $1
        UNION ALL
        SELECT t.id FROM sessions s JOIN threads t ON t.parent_id = s.id WHERE s.owner_id = $1
      ) AND m.author_id IS DISTINCT FROM $1`),
  },
  {
    type: 'revision',
    sql: `SELECT r.conversation_id AS "conversationId", r.message_id AS "messageId", r.content, r.created_at AS "createdAt"
          FROM message_revisions r JOIN messages m ON m.conversation_id = r.conversation_id AND m.id = r.message_id
          WHERE m.author_id = $1 ORDER BY r.conversation_id, r.rev`,
  },
  {
    type: 'mention',
    sql: `SELECT conversation_id AS "conversationId", seq FROM mentions WHERE user_id = $1 ORDER BY conversation_id, seq`,
  },
  {
    type: 'thread',
    sql: `SELECT t.id, t.parent_id AS "conversationId", t.message_id AS "messageId", p.joined_at AS "joinedAt"
          FROM thread_participants p JOIN threads t ON t.id = p.thread_id WHERE p.user_id = $1`,
  },
  {
    type: 'reaction',
    sql: `SELECT conversation_id AS "conversationId", message_id AS "messageId", emoji, created_at AS "createdAt"
          FROM reactions WHERE user_id = $1 ORDER BY conversation_id, rev`,
  },
];

/** Reads out all that an account owns, as JSON Lines, in memory that stays flat. */
@Injectable()
export class AccountExport {
  private running = 0;

  constructor(private readonly database: Database) {}

  /** Gives chunks of whole lines. Throws 503 where too many are read out at once. */
  async *lines(userId: string): AsyncGenerator<string> {
    if (this.running >= AT_ONCE) throw Problem.unavailable('Others are being exported. Try again shortly.');
    this.running += 1;
    try {
      for (const { type, sql } of PARTS) {
        for await (const rows of this.database.stream(sql, [userId])) {
          yield rows.map((row) => `${JSON.stringify({ ...row, type })}\n`).join('');
        }
      }
    } finally {
      this.running -= 1;
    }
  }
}

function messages(where: string): string {
  return `
    SELECT m.id, m.conversation_id AS "conversationId", m.seq, m.role, m.author_id AS "authorId",
      m.agent_id AS "agentId", m.content, m.metadata, m.reply_to_id AS "replyToId", m.created_at AS "createdAt",
      m.edited_at AS "editedAt", m.deleted_at AS "deletedAt"
    FROM messages m WHERE ${where}`;
}
