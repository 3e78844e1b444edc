import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import type { Actor } from '../../auth/actor.js';
import { READABLE } from '../../conversations/mine.js';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { type Page, pageOf, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import { presentMessage } from '../message.presenter.js';
import { expectedBehind, find, type FoundRow, glanceAt } from './find.js';
import { fragmentsOf } from './fragments.js';
import type { FoundMessage, SearchQuery } from './search.dto.js';
import type { Behind, Rank } from './search-statement.js';
import { type Group, isWithoutSpaces, readTerms } from './search-terms.js';

/** The statements are made for indexes; a search that still takes this long hurts everybody else. */
const SETTINGS = `
  SELECT set_config('statement_timeout', '3s', true), set_config('jit', 'off', true),
    set_config('enable_seqscan', 'off', true), set_config('work_mem', '16MB', true), set_config('max_parallel_workers_per_gather', '0', true)`;

/**
 * Of this node's connections. What is said 20,000 times in a message makes each search for it take all its three seconds:
 * then the calls of others have connections left.
 */
const AT_ONCE = 8;
const MAX_WAITING = 50;
const TOO_MANY = 'Too many searches wait right now. Try again shortly.';

/** Finds messages in the rooms of a person. */
@Injectable()
export class SearchService {
  private readonly line = pLimit(AT_ONCE);

  constructor(private readonly work: UnitOfWork) {}

  /**
   * Messages with all the words first, then those with parts of them; the newest first in each. Throws 400 for a query
   * that looks for nothing, 404 for a place that the caller does not see, 503 where it takes too long or too many wait.
   */
  async search({ userId }: Actor, query: SearchQuery): Promise<Page<FoundMessage>> {
    const groups = readTerms(query.q);
    const { rank, behind } = readPlace(query.cursor);
    const base = { ...query, before: timeOf(query.before), after: timeOf(query.after), userId, groups };
    const inOneTransaction = async (tx: Tx): Promise<FoundRow[]> => {
      await tx.query(SETTINGS);
      const wanted = query.limit + 1;
      if (rank === 'parts') return find(tx, { ...base, rank, behind, limit: wanted });
      const parts = mayHaveParts(groups);
      const glance = parts && !behind ? await glanceAt(tx, { ...base, limit: wanted }) : undefined;
      const words = await find(tx, { ...base, rank, behind, limit: wanted }, glance?.words);
      if (words.length === wanted || !parts) return words;
      return [...words, ...(await find(tx, { ...base, rank: 'parts', limit: wanted - words.length }, glance?.parts))];
    };
    if (this.line.pendingCount >= MAX_WAITING) throw new Problem(503, 'overloaded', TOO_MANY);
    const rows = await this.line(() => this.work.run(inOneTransaction));
    if (rows.length === 0 && query.in) await this.mustSee(userId, query.in);
    const expected = expectedBehind(rows.slice(0, query.limit));
    const keyOf = ({ rank, createdAt, id }: FoundRow) => {
      const time = createdAt.toISOString();
      return [rank, time, id, expected ?? time];
    };
    return pageOf(rows, query.limit, keyOf, (row) => present(row, groups));
  }

  private async mustSee(userId: string, place: string): Promise<void> {
    const seen = await this.work.run((tx) =>
      tx.one(
        `WITH ${READABLE}
         SELECT 1 FROM readable WHERE id = $2 OR server_id = $2
         UNION ALL SELECT 1 FROM memberships WHERE user_id = $1 AND server_id = $2`,
        [userId, place],
      ),
    );
    if (!seen) throw Problem.notFound('This conversation');
  }
}

/**
 * The cursor holds the rank of the last message that was shown, its time and its id, and how far back the next page is
 * expected to go: its own time where that is not known.
 */
function readPlace(cursor: string | undefined): { rank: Rank; behind?: Behind } {
  const keys = readCursor(cursor, ['string', 'time', 'id', 'time']);
  if (!keys) return { rank: 'words' };
  const [rank, createdAt, id, expected] = keys;
  if (rank !== 'words' && rank !== 'parts') throw Problem.invalid('cursor', 'is not one that this list gave out');
  return { rank, behind: { createdAt, id, ...(expected < createdAt && { expected }) } };
}

/** Where words cannot be told apart, every part that is found was found as the words already. */
function mayHaveParts(groups: Group[]): boolean {
  return !groups.every(({ wanted }) => wanted.every(isWithoutSpaces));
}

function timeOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : new Date(text).toISOString();
}

function present(row: FoundRow, groups: Group[]): FoundMessage {
  return {
    message: presentMessage(row),
    conversation: { id: row.conversationId, kind: row.roomKind, title: row.roomTitle, serverId: row.roomServerId },
    rank: row.rank,
    fragments: fragmentsOf(row.content ?? '', groups),
  };
}
