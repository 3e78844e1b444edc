import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';

const BATCH = 500;

/** How many rows of each kind went. */
export interface Purged {
  tombstones: number;
  revisions: number;
  events: number;
  logins: number;
}

interface Place {
  deletedAt: string;
  conversationId: string;
  seq: number;
}

/**
 * Takes out what has been kept long enough, in small batches, each its own commit: it can be broken
 * off at any moment, and the next run goes on from there. What is not configured is kept.
 */
@Injectable()
export class Purge {
  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly config: Config,
  ) {}

  async run(): Promise<Purged> {
    const { tombstoneDays, revisionDays, logDays } = this.config.retention;
    return {
      tombstones: tombstoneDays === undefined ? 0 : await this.tombstones(tombstoneDays),
      revisions: revisionDays === undefined ? 0 : await this.oldRows('message_revisions', revisionDays),
      events: logDays === undefined ? 0 : await this.oldLogs(logDays),
      logins: await this.expiredLogins(),
    };
  }

  /** Deleted messages. Those that somebody or an agent answered, or a thread hangs on, keep their place, as does the last one. */
  private async tombstones(days: number): Promise<number> {
    let purged = 0;
    let after: Place | undefined = { deletedAt: '-infinity', conversationId: NO_ID, seq: 0 };
    while (after) {
      const batch: Place[] = await this.tombstonesAfter(after, days);
      const rooms = new Map<string, number[]>();
      for (const { conversationId, seq } of batch) {
        rooms.set(conversationId, [...(rooms.get(conversationId) ?? []), seq]);
      }
      for (const [conversationId, seqs] of rooms) purged += await this.takeOut(conversationId, seqs);
      after = batch.length === BATCH ? batch.at(-1) : undefined;
    }
    return purged;
  }

  private tombstonesAfter({ deletedAt, conversationId, seq }: Place, days: number): Promise<Place[]> {
    return this.database.query<Place & Record<string, unknown>>(
      `SELECT deleted_at::text AS "deletedAt", conversation_id AS "conversationId", seq FROM messages
       WHERE deleted_at < now() - make_interval(days => $4)
         AND (deleted_at, conversation_id, seq) > ($1::timestamptz, $2::uuid, $3)
       ORDER BY deleted_at, conversation_id, seq LIMIT ${BATCH}`,
      [deletedAt, conversationId, seq, days],
    );
  }

  /**
   * Under the room's lock, and with a mark in the room: who has not seen yet that these were deleted could never learn
   * it, so cursors from before are told to load anew.
   */
  private async takeOut(conversationId: string, seqs: number[]): Promise<number> {
    return this.work.run(async (tx) => {
      const room = await tx.one<{ lastSeq: number }>(
        `SELECT last_seq AS "lastSeq" FROM conversations WHERE id = $1 FOR NO KEY UPDATE`,
        [conversationId],
      );
      if (!room) return 0;
      const gone = await tx.query<{ rev: number }>(
        `DELETE FROM messages m
         WHERE m.conversation_id = $1 AND m.seq = ANY ($2) AND m.seq < $3 AND m.deleted_at IS NOT NULL
           AND NOT EXISTS (
             SELECT 1 FROM messages answer WHERE answer.conversation_id = $1 AND answer.reply_to_id = m.id
           )
           AND NOT EXISTS (SELECT 1 FROM threads WHERE parent_id = $1 AND message_id = m.id)
           AND NOT EXISTS (SELECT 1 FROM replies WHERE session_id = $1 AND asked_id = m.id AND message_id IS NOT NULL)
         RETURNING m.rev`,
        [conversationId, seqs, room.lastSeq],
      );
      const floor = Math.max(0, ...gone.map(({ rev }) => rev));
      await tx.query(`UPDATE conversations SET floor_rev = $2 WHERE id = $1 AND floor_rev < $2`, [
        conversationId,
        floor,
      ]);
      return gone.length;
    });
  }

  private async oldLogs(days: number): Promise<number> {
    return (await this.oldRows('account_events', days)) + (await this.oldRows('audit_log', days));
  }

  private async oldRows(table: string, days: number): Promise<number> {
    return this.inBatches(
      `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM ${table} WHERE created_at < now() - make_interval(days => $1) LIMIT ${BATCH}
       )) RETURNING 1`,
      [days],
    );
  }

  /** Of which nothing is kept but when and from where, for the time that docs/security.md says. */
  private async expiredLogins(): Promise<number> {
    return this.inBatches(
      `DELETE FROM logins WHERE id = ANY (ARRAY(
         SELECT id FROM logins
         WHERE expires_at < now() - interval '30 days' OR ended_at < now() - interval '30 days' LIMIT ${BATCH}
       )) RETURNING 1`,
      [],
    );
  }

  private async inBatches(statement: string, values: unknown[]): Promise<number> {
    let count = 0;
    for (let gone = BATCH; gone === BATCH; count += gone) {
      gone = (await this.database.query(statement, values)).length;
    }
    return count;
  }
}

const NO_ID = '00000000-0000-0000-0000-000000000000';
