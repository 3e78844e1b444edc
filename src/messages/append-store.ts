import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { isDeadlock } from '../platform/database/deadlock.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { sqlState } from '../platform/http/database-problem.js';
import { EarlyStatistics } from './early-statistics.js';
import type { MessageRole } from './message.entity.js';

/** A message to be, in the form that the SQL function append_messages takes. */
export interface DraftRow {
  conversationId: string;
  id: string;
  authorId: string | null;
  agentId: string | null;
  role: MessageRole;
  content: string;
  metadata: Record<string, unknown> | null;
  tokensUsed: number | null;
  nonce: string | null;
  replyToId: string | null;
  /** Of a person's message in a session: the id of the reply that it asks for. Of an agent's: the reply it is. */
  replyId: string | null;
  /** Of an agent's: the attempt that said it, and how the reply ends with it. */
  attempt: number | null;
  replyStatus: 'done' | 'stopped' | null;
  /** Whom it names, and among whom they are looked for. */
  mentionNames: string[][] | null;
  mentionServerId: string | null;
  mentionUserIds: string[];
  mentionsEveryone: boolean;
}

export type Outcome =
  'stored' | 'repeated' | 'nonce_reused' | 'not_found' | 'reply_over' | 'closed' | 'reply_not_found';

/** What became of one draft. `seq`, `rev` and `createdAt` are there where it was stored. */
export interface Judged {
  outcome: Outcome;
  /** Its own id, or that of the message stored earlier under the same nonce. */
  id: string;
  seq: number;
  rev: number;
  createdAt: Date;
  /** Of a session: whose it is now, who helps and who answers. A pass may be older than that. */
  ownerId: string | null;
  advocateId: string | null;
  agentId: string | null;
  /** The session's title, where this message gave it one. */
  title: string | null;
  /** The reply that waits for an agent because of it. */
  replyId: string | null;
  /** Who is named in it. */
  mentions: string[] | null;
  /** Since it its author takes part in the thread. */
  joined: boolean;
}

const append = (drafts: string) => `
   SELECT outcome, id, seq, rev, created_at AS "createdAt", owner_id AS "ownerId", advocate_id AS "advocateId",
     agent_id AS "agentId", title, reply_id AS "replyId", mentions, joined
   FROM append_messages(${drafts}) ORDER BY "position"`;
const APPEND = append('$1');
/** Of drafts that have waited since their authors were let in: who has left their server meanwhile is refused. */
const APPEND_LATE = append('only_of_members($1)');

@Injectable()
export class AppendStore {
  constructor(
    private readonly database: Database,
    private readonly statistics: EarlyStatistics,
  ) {}

  /** Stores a batch in one commit; gives one judgement for each draft, in their order. `late` where they have waited. */
  async append(drafts: DraftRow[], late: boolean): Promise<Judged[]> {
    const judged = await this.database.preparedOnce<Judged>(late ? APPEND_LATE : APPEND, [JSON.stringify(drafts)]);
    this.statistics.count(drafts.length);
    return judged;
  }

  /** One message, as a part of a transaction that does more, and that may have waited for its turn. */
  async appendInside(tx: Tx, draft: DraftRow): Promise<Judged> {
    return (await tx.one<Judged>(APPEND_LATE, [JSON.stringify([draft])])) as Judged;
  }

  /** True where somebody else's locks stood in the way in a circle: nothing was stored, and the next time it goes. */
  wasEntangled(error: unknown): boolean {
    return isDeadlock(error);
  }

  /** True where the statement failed over what is in it (22: data, 23: constraints) or over one room, and not over the database. */
  blamesOneDraft(error: unknown): boolean {
    return /^2[23]/.test(sqlState(error) ?? '') || this.isLockedOut(error);
  }

  /** True where somebody else has kept a room locked for longer than sends wait for it: nothing was stored. */
  isLockedOut(error: unknown): boolean {
    return sqlState(error) === '55P03';
  }
}
