import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { sqlState } from '../platform/http/database-problem.js';
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
}

export type Outcome = 'stored' | 'repeated' | 'nonce_reused' | 'not_found' | 'closed' | 'reply_not_found';

/** What became of one draft. `seq`, `rev` and `createdAt` are there where it was stored. */
export interface Judged {
  outcome: Outcome;
  /** Its own id, or that of the message stored earlier under the same nonce. */
  id: string;
  seq: number;
  rev: number;
  createdAt: Date;
}

@Injectable()
export class AppendStore {
  constructor(private readonly database: Database) {}

  /** Stores a batch in one commit; gives one judgement for each draft, in their order. */
  append(drafts: DraftRow[]): Promise<Judged[]> {
    return this.database.prepared<Judged>(
      `SELECT outcome, id, seq, rev, created_at AS "createdAt" FROM append_messages($1) ORDER BY "position"`,
      [JSON.stringify(drafts)],
    );
  }

  /** True where the statement failed over what is in it (22: data, 23: constraints), and not over the database. */
  blamesOneDraft(error: unknown): boolean {
    return /^2[23]/.test(sqlState(error) ?? '');
  }
}
