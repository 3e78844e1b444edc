import type { Client } from 'pg';
import type { People } from './people.js';
import { remember } from './remembering.js';
import type { OldMembership, OldServer } from './source.js';
import { namedId } from './values.js';

const CHUNK = 1_000;

type Outcome = 'new' | 'known' | 'twice';
type KnownServer = OldServer & { target: string; isNew: boolean };

/** As it is stored. */
interface Member {
  ext: string;
  server_id: string | undefined;
  user_id: string | undefined;
  role: string;
  joined_at: Date | null;
}

export const ABSENT = (what: string) => `its ${what} is not in the source, or has been deleted here`;

/** The servers that an import takes or makes, and who is in them: few enough to be kept until all is read. */
export class Communities {
  private readonly servers = new Map<string, KnownServer>();
  private readonly memberships: OldMembership[] = [];
  /** Ids of memberships, and pairs of a server and a person. */
  private readonly seen = new Set<string>();

  private constructor(
    private readonly client: Client,
    private readonly scope: string,
    private readonly people: People,
    /** By kind and old id: the server, or null where it has been deleted since. */
    private readonly known: ReadonlyMap<string, string | null>,
  ) {}

  static async load(client: Client, scope: string, people: People): Promise<Communities> {
    const { rows } = await client.query<{ kind: string; ext: string; id: string | null }>(
      `SELECT i.kind, i.external_id AS ext, s.id FROM imported_ids i
       LEFT JOIN servers s ON s.id = coalesce(i.conversation_id, i.target_id)
       WHERE i.scope = $1 AND i.kind IN ('server', 'membership')`,
      [scope],
    );
    const known = new Map(rows.map(({ kind, ext, id }) => [`${kind} ${ext}`, id]));
    return new Communities(client, scope, people, known);
  }

  /** The server of an old id, where there is one. */
  of(server: string): string | undefined {
    return this.servers.get(server)?.target;
  }

  addServer(server: OldServer): Outcome {
    if (this.servers.has(server.id)) return 'twice';
    const known = this.known.get(`server ${server.id}`);
    if (known === null) return 'known';
    const target = known ?? namedId(server.createdAt, this.scope, 'server', server.id);
    this.servers.set(server.id, { ...server, target, isNew: !known });
    return known ? 'known' : 'new';
  }

  /** Gives the reason where it cannot be carried. */
  addMembership(membership: OldMembership): string {
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

  /** Makes what is new, and gives how much that was. */
  async store(importId: string): Promise<number> {
    const servers = [...this.servers.values()].filter(({ isNew }) => isNew);
    for (const server of servers) await this.storeServer(importId, server);
    const members = [...this.owners(servers), ...this.memberships.map((each) => this.memberOf(each))];
    for (let at = 0; at < members.length; at += CHUNK) await this.storeMembers(importId, members.slice(at, at + CHUNK));
    return servers.length + members.length;
  }

  /** A server without an administrator is the owner's to keep in order, save where that would show what was private. */
  private owners(servers: KnownServer[]): Member[] {
    const { owner } = this.people;
    if (owner === undefined) return [];
    const led = new Set(this.memberships.filter(({ role }) => role === 'ADMIN').map(({ server }) => server));
    const bare = servers.filter(({ id, isPrivate }) => !isPrivate && !led.has(id));
    return bare.map(({ id, target }) => {
      return { ext: `owner of ${id}`, server_id: target, user_id: owner, role: 'ADMIN', joined_at: null };
    });
  }

  private memberOf({ id, server, user, role, joinedAt }: OldMembership): Member {
    return { ext: id, server_id: this.of(server), user_id: this.people.of(user), role, joined_at: joinedAt };
  }

  private async storeServer(importId: string, server: KnownServer): Promise<void> {
    const creator = server.createdBy === null ? null : (this.people.of(server.createdBy) ?? null);
    await this.client.query(
      `INSERT INTO servers (id, name, icon_url, created_by, created_at, updated_at)
       VALUES ($1, $2, $3, $4, coalesce($5, now()), coalesce($5, now()))`,
      [server.target, server.name, server.iconUrl, creator, server.createdAt],
    );
    await remember(this.client, { scope: this.scope, importId }, 'server', server.id, server.target);
  }

  private async storeMembers(importId: string, members: Member[]): Promise<void> {
    await this.client.query(
      `WITH given AS (
         SELECT * FROM json_to_recordset($1)
           AS r (ext text, server_id uuid, user_id uuid, role text, joined_at timestamptz)
       ), made AS (
         INSERT INTO memberships (server_id, user_id, role, joined_at)
         SELECT server_id, user_id, role, coalesce(joined_at, now()) FROM given ON CONFLICT DO NOTHING
         RETURNING server_id, user_id
       )
       INSERT INTO imported_ids (scope, kind, external_id, import_id, target_id, conversation_id, made)
       SELECT $2, 'membership', given.ext, $3, given.user_id, given.server_id, made.user_id IS NOT NULL
       FROM given LEFT JOIN made ON made.server_id = given.server_id AND made.user_id = given.user_id
       ON CONFLICT (kind, external_id, scope) DO UPDATE SET import_id = $3, target_id = excluded.target_id`,
      [JSON.stringify(members), this.scope, importId],
    );
  }
}
