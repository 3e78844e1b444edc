import type { Client } from 'pg';
import { comparable } from '../../users/names.js';
import { type OldUser, SourceError, type Source } from './source.js';
import { namedId, storable } from './values.js';

const HASH = /^(\$2[aby]\$\d\d\$|pbkdf2:|scrypt:|\$argon2)/;
const EMAIL = /^[^\s@]+@[^\s@]+$/;
const CHUNK = 500;

interface Account {
  id: string;
  ext: string;
  username: string;
  email: string | null;
  displayName: string;
  passwordHash: string | null;
  createdAt: Date | null;
}

/** The accounts that an import takes or makes, by the id that they have in the old system. */
export class People {
  readonly renamed: string[] = [];
  /** Passwords that were no hash. They are never stored. */
  passwordsLeftOut = 0;
  private readonly known = new Map<string, string>();
  private readonly fresh = new Map<string, Account>();
  private nobody: string | undefined;

  private constructor(
    private readonly client: Client,
    private readonly scope: string,
    private readonly source: Source,
  ) {}

  /** Throws SourceError where `owner` names nobody. */
  static async load(client: Client, scope: string, source: Source, owner?: string): Promise<People> {
    const people = new People(client, scope, source);
    const { rows } = await client.query<{ ext: string; id: string }>(
      `SELECT external_id AS ext, target_id AS id FROM imported_ids
       WHERE scope = $1 AND kind = 'user' AND EXISTS (SELECT 1 FROM users u WHERE u.id = target_id)`,
      [scope],
    );
    for (const { ext, id } of rows) people.known.set(ext, id);
    people.nobody = owner === undefined ? people.known.get('') : await people.named(owner);
    return people;
  }

  /** True where this row is new; false where an earlier run made the account. `undefined`: its id came twice. */
  add(user: OldUser): 'new' | 'known' | 'twice' {
    if (this.fresh.has(user.id)) return 'twice';
    if (this.known.has(user.id)) return 'known';
    const hash = user.password !== null && HASH.test(user.password) ? user.password : null;
    if (user.password && !hash) this.passwordsLeftOut += 1;
    const name = user.username?.trim() || user.email?.split('@')[0] || user.displayName?.trim() || `user-${user.id}`;
    this.remember(user.id, name, { ...user, password: hash });
    return 'new';
  }

  /** Gives the account of an id, making one where the source has no user rows; undefined for an orphan. */
  of(ext: string): string | undefined {
    const id = this.known.get(ext);
    if (id || this.source.unknownUsers === 'orphan') return id;
    return this.remember(ext, /^[0-9a-f]{24}$|^\d+$/i.test(ext) ? `user-${ext}` : ext);
  }

  /** The account that takes what has no owner. */
  async ownerless(): Promise<string> {
    const { username, shared } = this.source.ownerless;
    if (!this.nobody && shared) this.nobody = await this.named(username, true).catch(() => undefined);
    this.nobody ??= this.remember('', username);
    return this.nobody;
  }

  /** Makes the new accounts. A name that is taken gets `-legacy`, `-legacy-2`, ...; a taken address is left off. */
  async store(importId: string): Promise<number> {
    const taken = { names: new Set<string>(), emails: new Set<string>() };
    const accounts = [...this.fresh.values()];
    for (let at = 0; at < accounts.length; at += CHUNK) {
      const chunk = accounts.slice(at, at + CHUNK);
      await this.findTaken(chunk, taken);
      const rows = [];
      for (const account of chunk) rows.push(await this.settled(account, taken));
      await this.client.query(
        `INSERT INTO users (id, username, username_key, email, email_key, display_name, kind, password_hash,
           created_at, updated_at)
         SELECT id, username, username_key, email, email_key, display_name, 'migrated', password_hash,
           coalesce(created_at, now()), coalesce(created_at, now())
         FROM json_to_recordset($1) AS r (id uuid, username text, username_key text, email text, email_key text,
           display_name text, password_hash text, created_at timestamptz)`,
        [JSON.stringify(rows)],
      );
      await this.client.query(
        `INSERT INTO imported_ids (scope, kind, external_id, import_id, target_id)
         SELECT $1, 'user', ext, $2, id FROM json_to_recordset($3) AS r (id uuid, ext text)`,
        [this.scope, importId, JSON.stringify(rows)],
      );
    }
    return accounts.length;
  }

  private remember(ext: string, username: string, user?: OldUser): string {
    const id = namedId(this.scope, 'user', ext);
    const name =
      storable(username)
        .replace(/[^\p{L}\p{N}_.-]+/gu, '-')
        .slice(0, 200) || 'user';
    const display = user?.displayName?.trim() || username;
    const email = user?.email?.trim() || null;
    const [passwordHash, createdAt] = [user?.password ?? null, user?.createdAt ?? null];
    this.known.set(ext, id);
    this.fresh.set(ext, { id, ext, username: name, email, displayName: storable(display), passwordHash, createdAt });
    return id;
  }

  private async named(username: string, migrated = false): Promise<string> {
    const { rows } = await this.client.query<{ id: string }>(
      `SELECT id FROM users WHERE username_key = $1 AND ($2 OR kind = 'migrated')`,
      [comparable(username), !migrated],
    );
    if (!rows[0]) throw new SourceError(`There is no account named ${username}.`);
    return rows[0].id;
  }

  private async findTaken(chunk: Account[], taken: { names: Set<string>; emails: Set<string> }): Promise<void> {
    const { rows } = await this.client.query<{ name: string; email: string | null }>(
      `SELECT username_key AS name, email_key AS email FROM users
       WHERE username_key = ANY ($1) OR email_key = ANY ($2)`,
      [chunk.map(({ username }) => comparable(username)), chunk.map(({ email }) => comparable(email ?? ''))],
    );
    for (const { name, email } of rows) {
      taken.names.add(name);
      if (email) taken.emails.add(email);
    }
  }

  private async settled(account: Account, taken: { names: Set<string>; emails: Set<string> }) {
    const username = await this.freeName(account.username, taken.names);
    if (username !== account.username) this.renamed.push(`${account.username} -> ${username}`);
    taken.names.add(comparable(username));
    const usable = account.email !== null && EMAIL.test(account.email) && !taken.emails.has(comparable(account.email));
    const email = usable ? account.email : null;
    if (account.email && !usable) this.renamed.push(`${account.email} -> no address (${username})`);
    if (email) taken.emails.add(comparable(email));
    return {
      id: account.id,
      ext: account.ext,
      username,
      username_key: comparable(username),
      email: email && storable(email),
      email_key: email && comparable(storable(email)),
      display_name: account.displayName,
      password_hash: account.passwordHash,
      created_at: account.createdAt,
    };
  }

  private async freeName(wanted: string, taken: Set<string>): Promise<string> {
    if (!taken.has(comparable(wanted))) return wanted;
    for (let n = 1; ; n++) {
      const name = n === 1 ? `${wanted}-legacy` : `${wanted}-legacy-${n}`;
      if (taken.has(comparable(name))) continue;
      const { rowCount } = await this.client.query(`SELECT 1 FROM users WHERE username_key = $1`, [comparable(name)]);
      if (rowCount === 0) return name;
    }
  }
}
