import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { arrayAt, Database } from '../platform/database/database.js';
import { together } from '../platform/database/together.js';
import { EventBus } from '../platform/events/event-bus.js';
import { presentProfile, PROFILE_COLUMNS } from '../users/profile.presenter.js';
import type { UserKind } from '../users/user.entity.js';
import type { Actor } from './actor.js';
import { AccountChanged, LoginEnded } from './auth.events.js';

/** No node trusts what it knows of a login for longer than this, whatever message about it was lost (a second is what is promised). */
const TRUST_MS = 900;

interface ActorRow {
  loginId: string;
  id: string;
  username: string;
  displayName: string;
  avatarUrl: string | null;
  kind: UserKind;
  isAdmin: boolean;
  isAdvocate: boolean;
  lacksSecondFactor: boolean;
}

/** Who stands behind a login that still lives. */
@Injectable()
export class Actors {
  private readonly known = new LRUCache<string, Actor>({ max: 20_000, ttl: TRUST_MS });
  private readonly loading = new Map<string, { begun: number; actor: Promise<Actor | undefined> }>();

  constructor(
    private readonly database: Database,
    bus: EventBus,
  ) {
    bus.on(LoginEnded, ({ loginIds }) => loginIds.forEach((id) => this.forget(id)));
    bus.on(AccountChanged, ({ userId }) => this.forgetPerson(userId));
  }

  /** Gives nothing for a login that has ended, or whose account is switched off or gone. */
  async find(loginId: string): Promise<Actor | undefined> {
    const known = this.known.get(loginId);
    if (known) return known;
    const loading = this.loading.get(loginId);
    // One that the database keeps waiting may say what was true before this was asked.
    return loading && performance.now() - loading.begun < TRUST_MS ? loading.actor : this.begin(loginId);
  }

  /** Whether the account is switched off or gone: signing in again would not help. */
  async isShutOut(userId: string): Promise<boolean> {
    return !(await this.database.one(`SELECT 1 FROM users WHERE id = $1 AND disabled_at IS NULL`, [userId]));
  }

  private begin(loginId: string): Promise<Actor | undefined> {
    const begun = performance.now();
    const isLast = () => this.loading.get(loginId) === loading;
    const actor = this.load(loginId)
      .then((found) => {
        const trust = begun + TRUST_MS - performance.now();
        // Forgotten while it was read: what was read may be older than that.
        if (found && trust > 0 && isLast()) this.known.set(loginId, found, { ttl: trust });
        return found;
      })
      .finally(() => {
        if (isLast()) this.loading.delete(loginId);
      });
    const loading = { begun, actor };
    this.loading.set(loginId, loading);
    return actor;
  }

  private forget(loginId: string): void {
    this.known.delete(loginId);
    this.loading.delete(loginId);
  }

  /** What is being read is not known to be somebody's yet, so all of that is read again. */
  private forgetPerson(userId: string): void {
    this.loading.clear();
    for (const [loginId, actor] of this.known.entries()) if (actor.userId === userId) this.known.delete(loginId);
  }

  private readonly load = together(async (loginIds) => {
    const rows = await this.database.prepared<ActorRow>(
      `SELECT l.id AS "loginId", ${PROFILE_COLUMNS},
         u.is_admin AS "isAdmin", u.is_advocate AS "isAdvocate",
         u.second_factor_required AND NOT EXISTS (
           SELECT 1 FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL
         ) AS "lacksSecondFactor"
       FROM logins l JOIN users u ON u.id = l.user_id
       WHERE l.id = ANY(${arrayAt(1)}) AND l.ended_at IS NULL AND l.expires_at > now() AND u.disabled_at IS NULL`,
      [loginIds],
    );
    return new Map(rows.map((row) => [row.loginId, actorOf(row)]));
  });
}

function actorOf(row: ActorRow): Actor {
  const { id, loginId, isAdmin, isAdvocate, lacksSecondFactor } = row;
  return { userId: id, loginId, profile: presentProfile(row), isAdmin, isAdvocate, lacksSecondFactor };
}
