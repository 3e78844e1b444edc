import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../auth/actor.js';
import { ConversationCreated } from '../conversations/conversations.events.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { Database } from '../platform/database/database.js';
import { type Tx, UnitOfWork } from '../platform/database/unit-of-work.js';
import { breaks } from '../platform/http/database-problem.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../platform/http/paging.js';
import { Problem } from '../platform/http/problem.js';
import { type Profile, profileJson } from '../users/profile.presenter.js';
import { FEWEST_IN_DIRECT, MOST_IN_DIRECT } from './direct.entity.js';
import type { DirectView } from './directs.dto.js';

interface DirectRow {
  id: string;
  participants: Profile[];
  lastMessageAt: Date | null;
  createdAt: Date;
}

const ROWS = `
  SELECT d.id, c.last_message_at AS "lastMessageAt", d.created_at AS "createdAt", (
    SELECT json_agg(${profileJson('u')} ORDER BY u.id)
    FROM direct_participants p JOIN users u ON u.id = p.user_id WHERE p.direct_id = d.id
  ) AS participants
  FROM directs d JOIN conversations c ON c.id = d.id`;

/** One conversation for each set of people. */
@Injectable()
export class DirectsService {
  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly conversations: ConversationsService,
  ) {}

  /** Newest made first. */
  async list({ userId }: Actor, { limit, cursor }: PageQuery): Promise<Page<DirectView>> {
    const [before] = readCursor(cursor, ['id']) ?? [];
    const rows = await this.database.query<DirectRow>(
      `${ROWS} WHERE d.id IN (
         SELECT direct_id FROM direct_participants WHERE user_id = $1 AND ($2::uuid IS NULL OR direct_id < $2)
         ORDER BY direct_id DESC LIMIT $3
       ) ORDER BY d.id DESC`,
      [userId, before ?? null, limit + 1],
    );
    return pageOf(rows, limit, ({ id }) => [id], presentDirect);
  }

  /** The conversation of these people, made where there is none. Throws 400 for too few, too many, or nobody. */
  async open(actor: Actor, userIds: string[]): Promise<{ direct: DirectView; created: boolean }> {
    const people = [...new Set([actor.userId, ...userIds])].sort();
    if (people.length < FEWEST_IN_DIRECT) throw Problem.invalid('userIds', 'must name somebody else');
    if (people.length > MOST_IN_DIRECT)
      throw Problem.invalid('userIds', `must name ${MOST_IN_DIRECT - 1} others at most`);
    const key = createHash('sha256').update(people.join()).digest();
    const known = await this.find(key);
    if (known) return { direct: known, created: false };
    try {
      await this.work.run((tx) => this.create(tx, key, people));
    } catch (error) {
      if (!breaks(error, 'directs_people_key')) throw error;
      // Somebody else made it at the same moment.
      const theirs = await this.find(key);
      if (theirs) return { direct: theirs, created: false };
      throw error;
    }
    const made = await this.find(key);
    if (!made) throw Problem.notFound('This conversation');
    return { direct: made, created: true };
  }

  private async create(tx: Tx, key: Buffer, people: string[]): Promise<void> {
    const id = uuidv7();
    await this.conversations.create(tx, id, 'direct');
    await tx.query(`INSERT INTO directs (id, people_key) VALUES ($1, $2)`, [id, key]);
    const added = await tx.query(
      `INSERT INTO direct_participants (direct_id, user_id)
       SELECT $1, id FROM users WHERE id = ANY($2) AND disabled_at IS NULL RETURNING 1`,
      [id, people],
    );
    if (added.length < people.length) throw Problem.invalid('userIds', 'names somebody who does not exist');
    // Each sees it under the names of the others.
    for (const userId of people) {
      const conversation = await this.conversations.stateOf(id, userId, tx);
      tx.announce(ConversationCreated([`user:${userId}`], { conversation }));
    }
  }

  private async find(key: Buffer): Promise<DirectView | undefined> {
    const row = await this.database.one<DirectRow>(`${ROWS} WHERE d.people_key = $1`, [key]);
    return row && presentDirect(row);
  }
}

function presentDirect({ id, participants, lastMessageAt, createdAt }: DirectRow): DirectView {
  return { id, participants, lastMessageAt: lastMessageAt?.toISOString() ?? null, createdAt: createdAt.toISOString() };
}
