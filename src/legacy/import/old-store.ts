import type { Client } from 'pg';
import { People } from './people.js';
import type { OldChannel, OldMembership, OldMessage, OldServer, OldSession, Source, SourceRow } from './source.js';
import { STAGED, Stager } from './staging.js';
import { fingerprint, namedId, storable, storableJson } from './values.js';

type Direct = { carried: number; before: number };

const ORPHANED_OWNER = 'its owner is not in the source';

/**
 * Takes the rows of a source one by one: rooms and messages are staged in the database, accounts, servers, agents
 * and memberships, which are few, are kept here until all is read.
 */
export class OldStore {
  rows = 0;
  /** What was judged here and is not staged, by table. */
  readonly direct = new Map<string, Direct>();
  private readonly servers = new Map<string, OldServer & { target: string; isNew: boolean }>();
  private readonly memberships = new Map<string, OldMembership>();
  private readonly agents = new Map<string, { id: string; isNew: boolean }>();

  private constructor(
    private readonly client: Client,
    private readonly scope: string,
    private readonly stager: Stager,
    readonly people: People,
    private readonly known: ReadonlyMap<string, string>,
  ) {}

  static async open(client: Client, scope: string, source: Source, owner?: string): Promise<OldStore> {
    const people = await People.load(client, scope, source, owner);
    const { rows } = await client.query<{ kind: string; ext: string; id: string }>(
      `SELECT kind, external_id AS ext, target_id AS id FROM imported_ids
       WHERE scope = $1 AND kind IN ('server', 'membership')`,
      [scope],
    );
    const known = new Map(rows.map(({ kind, ext, id }) => [`${kind} ${ext}`, id]));
    const agents = await client.query<{ slug: string; id: string }>(`SELECT slug, id FROM agents`);
    await client.query(STAGED);
    const store = new OldStore(client, scope, new Stager(client), people, known);
    for (const { slug, id } of agents.rows) store.agents.set(slug, { id, isNew: false });
    return store;
  }

  async add({ table, entry }: SourceRow): Promise<void> {
    this.rows += 1;
    switch (entry.kind) {
      case 'unreadable':
        return this.reject(table, entry.reason);
      case 'user':
        return this.judged(table, this.people.add(entry));
      case 'server':
        return this.judged(table, this.server(entry));
      case 'membership':
        return this.membership(table, entry);
      case 'session':
        return this.session(table, entry);
      case 'channel':
        return this.channel(table, entry);
      case 'message':
        return this.message(table, entry);
    }
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
        [server.target, storable(server.name), server.iconUrl, creator, server.createdAt],
      );
      await this.remember(importId, 'server', server.id, server.target);
    }
    for (const { id, server, user, role, joinedAt } of this.memberships.values()) {
      const serverId = this.servers.get(server)?.target as string;
      const userId = this.people.of(user) as string;
      await this.client.query(
        `INSERT INTO memberships (server_id, user_id, role, joined_at) VALUES ($1, $2, $3, coalesce($4, now()))
         ON CONFLICT DO NOTHING`,
        [serverId, userId, role, joinedAt],
      );
      await this.remember(importId, 'membership', id, userId, serverId);
    }
    const total = accounts + agents.length + servers.length + this.memberships.size;
    return { total, accounts, agents: agents.length };
  }

  private async remember(importId: string, kind: string, ext: string, target: string, of?: string): Promise<void> {
    await this.client.query(
      `INSERT INTO imported_ids (scope, kind, external_id, import_id, target_id, conversation_id)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [this.scope, kind, ext, importId, target, of ?? null],
    );
  }

  private server(server: OldServer): 'new' | 'known' | 'twice' {
    if (this.servers.has(server.id)) return 'twice';
    const known = this.known.get(`server ${server.id}`);
    const target = known ?? namedId(this.scope, 'server', server.id);
    this.servers.set(server.id, { ...server, target, isNew: !known });
    return known ? 'known' : 'new';
  }

  private async membership(table: string, membership: OldMembership): Promise<void> {
    if (!this.servers.has(membership.server)) return this.reject(table, 'its server is not in the source');
    if (!this.people.of(membership.user)) return this.reject(table, 'its person is not in the source');
    if (this.known.has(`membership ${membership.id}`)) return this.judged(table, 'known');
    const pair = `${membership.server} ${membership.user}`;
    if (this.memberships.has(pair)) return this.reject(table, 'duplicate: this person is a member already');
    this.memberships.set(pair, membership);
    return this.judged(table, 'new');
  }

  private async session(table: string, session: OldSession): Promise<void> {
    const owner = session.owner === null ? await this.people.ownerless() : this.people.of(session.owner);
    if (!owner) return this.reject(table, ORPHANED_OWNER);
    const advocate = session.advocate === null ? null : (this.people.of(session.advocate) ?? null);
    const other = session.agentSlug === null ? advocate : this.agent(storable(session.agentSlug));
    const { id, type, title, closed, createdAt, updatedAt, standing } = session;
    await this.stager.add([
      this.rows,
      true,
      table,
      id,
      null,
      owner,
      other,
      type,
      title,
      closed,
      null,
      null,
      createdAt,
      updatedAt,
      standing ? 1 : 0,
      null,
      null,
      null,
    ]);
  }

  private async channel(table: string, channel: OldChannel): Promise<void> {
    const server = this.servers.get(channel.server);
    if (!server) return this.reject(table, 'its server is not in the source');
    const { id, type, name, position, topic, createdAt } = channel;
    await this.stager.add([
      this.rows,
      true,
      table,
      id,
      null,
      null,
      null,
      type,
      name,
      type === 'VOICE',
      topic === null ? null : JSON.stringify({ topic: storable(topic) }),
      null,
      createdAt,
      null,
      position,
      null,
      server.target,
      null,
    ]);
  }

  private async message(table: string, message: OldMessage): Promise<void> {
    const author = message.author === null ? null : this.people.of(message.author);
    if (author === undefined) return this.reject(table, 'its author is not in the source');
    const { id, conversation, role, tokensUsed, createdAt, order } = message;
    const content = storable(message.content);
    const metadata = message.metadata === null ? null : JSON.stringify(storableJson(message.metadata));
    await this.stager.add([
      this.rows,
      false,
      table,
      id,
      conversation,
      author,
      null,
      role,
      content,
      null,
      metadata,
      tokensUsed,
      createdAt,
      null,
      order,
      fingerprint(role, content, tokensUsed, createdAt),
      null,
      null,
    ]);
  }

  private agent(slug: string): string {
    const found = this.agents.get(slug);
    if (found) return found.id;
    const id = namedId(this.scope, 'agent', slug);
    this.agents.set(slug, { id, isNew: true });
    return id;
  }

  private async judged(table: string, outcome: 'new' | 'known' | 'twice'): Promise<void> {
    if (outcome === 'twice') return this.reject(table, 'duplicate id');
    const tally = this.direct.get(table) ?? { carried: 0, before: 0 };
    tally[outcome === 'new' ? 'carried' : 'before'] += 1;
    this.direct.set(table, tally);
  }

  private reject(table: string, reason: string): Promise<void> {
    const nothing = Array.from({ length: 13 }, () => null);
    return this.stager.add([this.rows, true, table, '', ...nothing, reason]);
  }
}
