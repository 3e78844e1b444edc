import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/actor.js';
import { NoticesRead, ServerLost } from '../auth/auth.events.js';
import type { ConversationKind } from '../conversations/conversation.entity.js';
import { arrayAt, Database } from '../platform/database/database.js';
import { together } from '../platform/database/together.js';
import { EventBus } from '../platform/events/event-bus.js';
import { UUID } from '../platform/http/id.pipe.js';
import { Problem } from '../platform/http/problem.js';
import { HintsLost } from '../platform/nodes/nodes.events.js';
import type { Role } from '../servers/memberships/membership.entity.js';
import { StandingChanged, StandingNoted } from './access.events.js';
import { type Facts, type Room, standingOf } from './facts.js';
import { AnsweringAgent, HouseVoice, Moderator, Pinner, Reader, Scribe, ServerPass, Writer } from './pass.js';
import { StandingCache } from './standing-cache.js';
import { type Action, serverVerdict, type ServerAction, verdict, type Verdict } from './verdict.js';

interface Passes {
  read: Reader;
  write: Writer;
  pin: Pinner;
  moderate: Moderator;
  clear: Moderator;
  close: Writer;
  help: Writer;
  own: Moderator;
}

/** Of each room of `$1`, with the role of the person who stands at the same place of `$2`. */
const FACTS = `
  SELECT asked.place, facts.*
  FROM unnest(${arrayAt(1)}, ${arrayAt(2)}) WITH ORDINALITY AS asked (id, user_id, place)
  CROSS JOIN LATERAL (
    SELECT c.id, c.kind, parent.id AS "parentId", parent.kind AS "parentKind", ch.server_id AS "serverId",
      s.owner_id AS "ownerId", s.advocate_id AS "advocateId", s.agent_id AS "agentId",
      CASE WHEN 'direct' IN (c.kind, parent.kind) THEN (
        SELECT array_agg(p.user_id::text) FROM direct_participants p WHERE p.direct_id = coalesce(parent.id, c.id)
      ) END AS people, m.role
    FROM conversations c
    LEFT JOIN threads t ON t.id = c.id
    LEFT JOIN conversations parent ON parent.id = t.parent_id
    LEFT JOIN sessions s ON s.id = coalesce(parent.id, c.id)
    LEFT JOIN channels ch ON ch.id = coalesce(parent.id, c.id)
    LEFT JOIN memberships m ON m.server_id = ch.server_id AND m.user_id = asked.user_id
    WHERE c.id = asked.id
    OFFSET 0
  ) AS facts`;

/** The one door: facts from one query, a verdict from one pure function, and the pass that the message code takes. */
@Injectable()
export class AccessService {
  private readonly cache = new StandingCache();

  constructor(
    private readonly database: Database,
    bus: EventBus,
  ) {
    bus.on(StandingChanged, ({ scope }) => this.cache.changed(scope));
    bus.on(StandingNoted, ({ scope }) => this.cache.changed(scope));
    bus.on(ServerLost, ({ serverId }) => this.cache.changed(`server:${serverId}`));
    bus.on(HintsLost, () => this.cache.forgetAll());
    bus.on(NoticesRead, ({ before }) => this.cache.isComplete(before));
  }

  /**
   * Throws 404 where the caller may not see the room, 403 where they may see it but not do this. `kind` is for calls
   * that are about one kind of room: any other kind does not exist to them.
   */
  async enter<A extends Action>(
    actor: Actor,
    conversationId: string,
    action: A,
    kind?: ConversationKind,
  ): Promise<Passes[A]> {
    // In one spelling: what is remembered under another would outlast the end of a standing.
    const id = conversationId.toLowerCase();
    const facts = await this.cache.facts(actor.userId, id, () => this.load(id, actor.userId));
    if (!facts || (kind && facts.room.kind !== kind)) throw Problem.notFound('This conversation');
    const standing = standingOf(facts, actor.userId);
    refuse(verdict(standing, action), 'This conversation');
    return makePass(facts.room, actor, standing, action) as Passes[A];
  }

  /** A pass to moderate where the caller may, else one to write: for acts that authors and moderators share. */
  async enterToChange(actor: Actor, conversationId: string): Promise<Writer | Moderator> {
    const writer = await this.enter(actor, conversationId, 'write');
    return verdict(writer.standing, 'moderate') === 'allow' ? this.enter(actor, conversationId, 'moderate') : writer;
  }

  /**
   * Lets the owner of an agent session in which no agent answers write its other side down. Throws 404 as `enter` does,
   * 403 where somebody else speaks for it.
   */
  async enterAsScribe(actor: Actor, conversationId: string): Promise<Scribe> {
    const { room, standing } = await this.enter(actor, conversationId, 'own', 'session');
    const silent = await this.database.one(
      `SELECT 1 FROM sessions WHERE id = $1 AND owner_id = $2 AND type = 'agent' AND agent_id IS NULL`,
      [room.id, actor.userId],
    );
    if (!silent) throw Problem.forbidden('Somebody else speaks for the other side of this session.');
    return new Scribe(room, actor, standing);
  }

  /** Lets the agent of a session answer in it. Throws 404 where it is not its agent (any more), or is switched off. */
  async enterAsAgent(agentId: string, conversationId: string): Promise<AnsweringAgent> {
    const row = await this.database.one<Room & { name: string; avatarUrl: string | null }>(
      `SELECT c.id, c.kind, NULL AS "serverId", s.owner_id AS "ownerId", s.advocate_id AS "advocateId",
         s.agent_id AS "agentId", a.name, a.avatar_url AS "avatarUrl"
       FROM conversations c JOIN sessions s ON s.id = c.id JOIN agents a ON a.id = s.agent_id
       WHERE c.id = $1 AND a.id = $2 AND a.enabled AND s.type = 'agent'`,
      [conversationId, agentId],
    );
    if (!row) throw Problem.notFound('This session');
    const { name, avatarUrl, ...room } = row;
    return new AnsweringAgent(room, { id: agentId, name, avatarUrl, kind: 'agent' });
  }

  /** Lets the house say in a channel what happened there. Nothing where the room is gone. */
  async enterAsHouse(conversationId: string): Promise<HouseVoice | undefined> {
    const room = await this.roomOf(conversationId);
    return room && new HouseVoice(room);
  }

  /** For reading a server. Changes judge again inside their transaction, with serverVerdict and locked rows. */
  async enterServer(actor: Actor, serverId: string, action: ServerAction): Promise<ServerPass> {
    const membership = await this.database.one<{ role: Role }>(
      `SELECT role FROM memberships WHERE server_id = $1 AND user_id = $2`,
      [serverId, actor.userId],
    );
    refuse(serverVerdict(membership?.role ?? null, action), 'This server');
    return new ServerPass(serverId, actor);
  }

  /** What is true of a room, for the house itself: it gives nobody a pass. */
  async roomOf(conversationId: string): Promise<Room | undefined> {
    return (await this.load(conversationId))?.room;
  }

  private async load(conversationId: string, userId?: string): Promise<Facts | undefined> {
    // One that is no id would fail all who are asked about together with it.
    if (!UUID.test(conversationId)) return undefined;
    return this.read(userId ? `${conversationId} ${userId}` : conversationId);
  }

  private readonly read = together(async (keys) => {
    const pairs = keys.map((key) => key.split(' '));
    const rows = await this.database.prepared<Room & { place: number; role: Role | null }>(FACTS, [
      pairs.map(([conversationId]) => conversationId),
      pairs.map(([, userId]) => userId ?? null),
    ]);
    return new Map(rows.map(({ place, role, ...room }) => [keys[place - 1] as string, { room, role }]));
  });
}

/** Throws what a verdict other than `allow` means to the caller. */
export function refuse(judgement: Verdict, what: string): void {
  if (judgement === 'hide') throw Problem.notFound(what);
  if (judgement === 'forbid') throw Problem.forbidden();
}

function makePass(room: Room, actor: Actor, standing: ReturnType<typeof standingOf>, action: Action): Reader {
  if (action === 'read') return new Reader(room, actor, standing);
  if (action === 'write' || action === 'close' || action === 'help') return new Writer(room, actor, standing);
  if (action === 'pin') return new Pinner(room, actor, standing);
  return new Moderator(room, actor, standing);
}
