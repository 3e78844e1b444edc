import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { Database } from '../../platform/database/database.js';
import { UUID } from '../../platform/http/id.pipe.js';
import { Problem } from '../../platform/http/problem.js';
import type { ImportedKind } from '../import/imported-id.entity.js';

interface NamedSession {
  id: string;
  own: boolean;
  /** It has this id; others have it as a name, which anybody may give to what is theirs. */
  exact: boolean;
  helped: boolean;
}

/** What the ids stand for that old clients send: ids of today, names that clients gave, and ids from before an import. */
@Injectable()
export class OldIds {
  constructor(private readonly database: Database) {}

  /**
   * The session that the caller means; the door judges it afterwards. Throws 404, 409 `ambiguous_id` where an advocate
   * helps in several of that name, and for somebody else's session what `stranger` says.
   */
  async session(actor: Actor, given: string, stranger: 'forbidden' | 'hidden' = 'forbidden'): Promise<string> {
    const named = await this.sessionsNamed(actor, given);
    const [first, second] = named;
    if (first?.own) return first.id;
    if (first?.helped && second?.helped && !first.exact) {
      throw Problem.conflict('ambiguous_id', 'Several sessions have this id: use the id that the new API gives them.');
    }
    if (first?.helped) return first.id;
    if (first && stranger === 'forbidden') throw Problem.forbidden('Access denied to this session');
    throw Problem.notFound('This session');
  }

  /** The one thing that this stands for; for a message, in its room. Throws 404. */
  async find(kind: ImportedKind, given: string, room?: string): Promise<string> {
    const imported = await this.database.query<{ id: string }>(
      `SELECT DISTINCT target_id AS id FROM imported_ids
       WHERE kind = $1 AND external_id = $2 AND ($3::uuid IS NULL OR conversation_id = $3) LIMIT 2`,
      [kind, given, room ?? null],
    );
    const [one, another] = imported;
    if (one && !another) return one.id;
    if (!UUID.test(given)) throw Problem.notFound();
    return given.toLowerCase();
  }

  /** Old clients say who they are beside their token. Throws 403 where that is somebody else. */
  async mustBeCaller({ userId }: Actor, ...given: unknown[]): Promise<void> {
    for (const name of given) {
      if (name === undefined || name === null || name === '') continue;
      const text = typeof name === 'string' || typeof name === 'number' ? String(name) : '';
      if (text.toLowerCase() === userId || (await this.isOldNameOf(userId, text))) continue;
      throw Problem.forbidden('This is somebody else: the id must be your own.');
    }
  }

  private async isOldNameOf(userId: string, name: string): Promise<boolean> {
    const row = await this.database.one(
      `SELECT 1 FROM imported_ids WHERE kind = 'user' AND external_id = $1 AND target_id = $2`,
      [name, userId],
    );
    return row !== undefined;
  }

  private sessionsNamed({ userId }: Actor, given: string): Promise<NamedSession[]> {
    return this.database.query<NamedSession>(
      `SELECT s.id, s.owner_id = $1 AS own, coalesce(s.id = $3, false) AS exact,
         coalesce(s.advocate_id = $1, false) AS helped
       FROM sessions s
       WHERE s.external_id = $2 OR s.id = $3
         OR s.id IN (SELECT target_id FROM imported_ids WHERE kind = 'conversation' AND external_id = $2)
       ORDER BY own DESC, exact DESC, helped DESC, s.id LIMIT 2`,
      [userId, given, UUID.test(given) ? given.toLowerCase() : null],
    );
  }
}
