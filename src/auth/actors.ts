import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Database } from '../platform/database/database.js';
import { presentProfile } from '../users/profile.presenter.js';
import type { UserKind } from '../users/user.entity.js';
import type { Actor } from './actor.js';

/** No node trusts what it knows of a login for longer than this, whatever message about it was lost. */
const TRUST_MS = 1_000;

interface ActorRow {
  id: string;
  username: string;
  displayName: string;
  avatarUrl: string | null;
  kind: UserKind;
  isAdmin: boolean;
  isAdvocate: boolean;
}

/** Who stands behind a login that still lives. */
@Injectable()
export class Actors {
  private readonly known: LRUCache<string, Actor>;

  constructor(private readonly database: Database) {
    this.known = new LRUCache({
      max: 20_000,
      ttl: TRUST_MS,
      fetchMethod: (loginId: string) => this.load(loginId),
    });
  }

  /** Gives nothing for a login that has ended, or whose account is switched off or gone. */
  find(loginId: string): Promise<Actor | undefined> {
    return this.known.fetch(loginId);
  }

  forget(loginId: string): void {
    this.known.delete(loginId);
  }

  private async load(loginId: string): Promise<Actor | undefined> {
    const [row] = await this.database.prepared<ActorRow>(
      `SELECT u.id, u.username, u.display_name AS "displayName", u.avatar_url AS "avatarUrl", u.kind,
         u.is_admin AS "isAdmin", u.is_advocate AS "isAdvocate"
       FROM logins l JOIN users u ON u.id = l.user_id
       WHERE l.id = $1 AND l.ended_at IS NULL AND l.expires_at > now() AND u.disabled_at IS NULL`,
      [loginId],
    );
    if (!row) return undefined;
    const { id, isAdmin, isAdvocate } = row;
    return { userId: id, loginId, profile: presentProfile(row), isAdmin, isAdvocate };
  }
}
