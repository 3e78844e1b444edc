import type { Client } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { canonicalEmoji } from '../../messages/reactions/emoji.js';
import { mentionedIn, withMentions } from './mentioning.js';
import { messageRow, reactionRow, revisionRow, rootRow } from './message-rows.js';
import { People } from './people.js';
import type { ReadRow } from './reading.js';
import { channelRow, directRow, sessionRow, threadRow } from './room-rows.js';
import type { Notes } from './row.js';
import type {
  OldChannel,
  OldDirect,
  OldMembership,
  OldMessage,
  OldReaction,
  OldServer,
  OldSession,
  OldThread,
  Source,
} from './source.js';
import { createStages, type Field, type Stage, Stager } from './staging.js';
import { namedId } from './values.js';

const ABSENT = (what: string) => `its ${what} is not in the source, or has been deleted here`;

/** As the app has it. */
const MOST_IN_DIRECT = 10;

export interface Judged {
  carried: number;
  before: number;
}

/**
 * Takes the rows of a source one by one: rooms and messages are staged in the database; accounts, servers, agents
 * and memberships, which are few, are judged here and kept until all is read.
 */
export class Intake {
  /** What was judged here and is not staged, by table. */
  readonly judged = new Map<string, Judged>();
  private readonly stager: Stager;
  private readonly servers = new Map<string, OldServer & { target: string; isNew: boolean }>();
  private readonly memberships: OldMembership[] = [];
  /** Ids of memberships, and pairs of a server and a person. */
  private readonly seen = new Set<string>();
  private readonly agents = new Map<string, { id: string; isNew: boolean }>();
  /** Also of those that were renamed or deleted since. */
  private readonly agentIds = new Set<string>();

  private constructor(
    private readonly client: Client,
    private readonly scope: string,
    readonly people: People,
    /** By kind and old id: the server, or null where it has been deleted since. */
    private readonly known: ReadonlyMap<string, string | null>,
  ) {
    this.stager = new Stager(client);
  }

  /** Throws SourceError where `owner` names nobody. */
  static async open(client: Client, scope: string, source: Source, notes: Notes, owner?: string): Promise<Intake> {
    const people = await People.load(client, scope, source, notes, owner);
    const { rows } = await client.query<{ kind: string; ext: string; id: string | null }>(
      `SELECT i.kind, i.external_id AS ext, s.id FROM imported_ids i
       LEFT JOIN servers s ON s.id = coalesce(i.conversation_id, i.target_id)
       WHERE i.scope = $1 AND i.kind IN ('server', 'membership')`,
      [scope],
    );
    const known = new Map(rows.map(({ kind, ext, id }) => [`${kind} ${ext}`, id]));
    const agents = await client.query<{ slug: string; id: string; deleted: boolean }>(
      `SELECT slug, id, deleted_at IS NOT NULL AS deleted FROM agents`,
    );
    await createStages(client);
    const intake = new Intake(client, scope, people, known);
    for (const { slug, id, deleted } of agents.rows) {
      intake.agentIds.add(id);
      if (!deleted) intake.agents.set(slug, { id, isNew: false });
    }
    return intake;
  }

  async add({ n, table, entry }: ReadRow): Promise<void> {
    const refusal = await this.take(n, table, entry);
    if (refusal !== undefined) await this.stager.add('refused', [n, table, refusal]);
  }

  end(): Promise<void> {
    return this.stager.end();
  }

  /** Makes the accounts, agents, servers and memberships. */
  async store(importId: string): Promise<{ total: number; accounts: number; agents: number }> {
    const accounts = await this.people.store(importId);
    const agents = [...this.agents].filter(([, { isNew }]) => isNew);
    for (const [slug, { id }] of agents) {
      await this.client.query(`INSERT INTO agents (id, slug, name, kind, enabled) VALUES ($1, $2, $2, 'echo', false)`, [
        id,
        slug,
      ]);
      await this.remember(importId, 'agent', slug, id);
    }
    const servers = [...this.servers.values()].filter(({ isNew }) => isNew);
    for (const server of servers) {
      const creator = server.createdBy === null ? null : (this.people.of(server.createdBy) ?? null);
      await this.client.query(
        `INSERT INTO servers (id, name, icon_url, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, coalesce($5, now()), coalesce($5, now()))`,
        [server.target, server.name, server.iconUrl, creator, server.createdAt],
      );
      await this.remember(importId, 'server', server.id, server.target);
    }
    for (const { id, server, user, role, joinedAt } of this.memberships) {
      const serverId = this.servers.get(server)?.target as string;
      const userId = this.people.of(user) as string;
      const { rowCount } = await this.client.query(
        `INSERT INTO memberships (server_id, user_id, role, joined_at) VALUES ($1, $2, $3, coalesce($4, now()))
         ON CONFLICT DO NOTHING`,
        [serverId, userId, role, joinedAt],
      );
      await this.remember(importId, 'membership', id, userId, serverId, rowCount === 1);
    }
    const total = accounts + agents.length + servers.length + this.memberships.length;
    return { total, accounts, agents: agents.length };
  }

  /** Gives the reason where the row cannot be carried. */
  private async take(n: number, table: string, entry: ReadRow['entry']): Promise<string | undefined> {
    switch (entry.kind) {
      case 'unreadable':
        return entry.reason;
      case 'user':
        return this.count(table, this.people.add(entry, table));
      case 'password':
        return this.count(table, this.people.addPassword(entry, table) ?? ABSENT('person'));
      case 'server':
        return this.count(table, this.server(entry));
      case 'membership':
        return this.count(table, this.membership(entry));
      case 'session':
        return this.stage('old_rooms', n, table, this.session(entry));
      case 'channel':
        return this.stage('old_rooms', n, table, this.channel(entry));
      case 'direct':
        return this.stage('old_rooms', n, table, this.direct(entry));
      case 'thread':
        return this.thread(n, table, entry);
      case 'message':
        return this.stage('old_messages', n, table, await this.message(entry));
      case 'revision':
        return this.stage('old_revisions', n, table, revisionRow(entry));
      case 'reaction':
        return this.stage('old_reactions', n, table, this.reaction(entry));
    }
  }

  /** Takes what is to be staged, or the reason why it is not. */
  private async stage(stage: Stage, n: number, table: string, row: Field[] | string): Promise<string | undefined> {
    if (typeof row === 'string') return row;
    await this.stager.add(stage, [n, table, ...row]);
    return undefined;
  }

  private count(table: string, outcome: string): string | undefined {
    if (outcome === 'twice') return 'duplicate id';
    if (outcome !== 'new' && outcome !== 'known') return outcome;
    const judged = this.judged.get(table) ?? { carried: 0, before: 0 };
    judged[outcome === 'new' ? 'carried' : 'before'] += 1;
    this.judged.set(table, judged);
    return undefined;
  }

  private server(server: OldServer): 'new' | 'known' | 'twice' {
    if (this.servers.has(server.id)) return 'twice';
    const known = this.known.get(`server ${server.id}`);
    if (known === null) return 'known';
    const target = known ?? namedId(server.createdAt, this.scope, 'server', server.id);
    this.servers.set(server.id, { ...server, target, isNew: !known });
    return known ? 'known' : 'new';
  }

  private membership(membership: OldMembership): string {
    const pair = `${membership.server} ${membership.user}`;
    if (this.seen.has(membership.id)) return 'twice';
    this.seen.add(membership.id);
    const isKnown = this.known.has(`membership ${membership.id}`);
    if (!isKnown && !this.servers.has(membership.server)) return ABSENT('server');
    if (!isKnown && !this.people.of(membership.user)) return ABSENT('person');
    if (this.seen.has(pair)) return 'duplicate: this person is a member already';
    this.seen.add(pair);
    if (isKnown) return 'known';
    this.memberships.push(membership);
    return 'new';
  }

  private session(session: OldSession): Field[] | string {
    const owner = session.owner === null ? this.people.ownerless() : this.people.of(session.owner);
    if (!owner) return ABSENT('owner');
    const advocate = session.advocate === null ? null : this.people.of(session.advocate);
    if (advocate === undefined) return ABSENT('advocate');
    const agent = session.agentSlug === null ? null : this.agent(session.agentSlug);
    return sessionRow(this.scope, session, { owner, agent, advocate });
  }

  private channel(channel: OldChannel): Field[] | string {
    const server = this.servers.get(channel.server);
    return server ? channelRow(this.scope, channel, server.target) : ABSENT('server');
  }

  private direct(direct: OldDirect): Field[] | string {
    const people = [...new Set(direct.members.map((member) => this.people.of(member)))];
    if (!people.every((person) => person !== undefined))
      return 'one of its people is not in the source, or has been deleted here';
    if (people.length < 2 || people.length > MOST_IN_DIRECT)
      return `a direct conversation has 2 to ${MOST_IN_DIRECT} people`;
    return directRow(this.scope, direct, people);
  }

  private async thread(n: number, table: string, thread: OldThread): Promise<string | undefined> {
    await this.stager.add('old_roots', [n, null, ...rootRow(this.scope, thread)]);
    return this.stage('old_rooms', n, table, threadRow(this.scope, thread));
  }

  private async message(message: OldMessage): Promise<Field[] | string> {
    const author = message.author === null ? null : this.people.of(message.author);
    if (author === undefined) return ABSENT('author');
    const mentioned = message.mentions?.map((id) => this.people.of(id)).filter((id) => id !== undefined);
    return messageRow(this.scope, message, await this.named(message.content), author, mentioned ?? null);
  }

  /** A text with the names that people have here. */
  private async named(content: string): Promise<string> {
    if (mentionedIn(content).length === 0) return content;
    await this.people.settle();
    return withMentions(content, (id) => this.people.nameOf(id) ?? id);
  }

  private reaction(reaction: OldReaction): Field[] | string {
    const person = this.people.of(reaction.user);
    const emoji = canonicalEmoji(reaction.emoji);
    if (!person) return ABSENT('person');
    return emoji === undefined ? 'neither an emoji nor a short name' : reactionRow(reaction, person, emoji);
  }

  private agent(slug: string): string {
    const found = this.agents.get(slug);
    if (found) return found.id;
    const named = namedId(null, this.scope, 'agent', slug);
    const id = this.agentIds.has(named) ? uuidv7() : named;
    this.agents.set(slug, { id, isNew: true });
    return id;
  }

  private async remember(
    importId: string,
    kind: string,
    ext: string,
    target: string,
    of: string | null = null,
    made = true,
  ): Promise<void> {
    await this.client.query(
      `INSERT INTO imported_ids (scope, kind, external_id, import_id, target_id, conversation_id, made)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (kind, external_id, scope) DO UPDATE SET import_id = $4, target_id = $5`,
      [this.scope, kind, ext, importId, target, of, made],
    );
  }
}
