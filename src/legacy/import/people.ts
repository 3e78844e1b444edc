import type { Client } from 'pg';
import { isLegacyHash } from '../../auth/passwords/legacy-hashes.js';
import { comparable } from '../../users/names.js';
import type { Notes } from './row.js';
import { type OldPassword, type OldUser, type Source, SourceError } from './source.js';
import { namedId } from './values.js';

const EMAIL = /^[^\s@]+@[^\s@]+$/;
/** As long as an address can be (RFC 5321, 4.5.3.1.3). */
const MAX_EMAIL = 254;
const CHUNK = 500;
const MAX_NAME = 200;

interface Account {
  id: string;
  ext: string;
  /** As the old system has it. */
  oldName: string;
  username: string;
  email: string | null;
  displayName: string;
  passwordHash: string | null;
  createdAt: Date | null;
}

interface Taken {
  ids: Set<string>;
  names: Set<string>;
  emails: Set<string>;
}

/** The accounts that an import takes or makes, by the id that they have in the old system; '' is who takes what has no owner. */
export class People {
  readonly renamed: string[] = [];
  /** Null: the account was made by an earlier import, and its person has deleted it. */
  private readonly known = new Map<string, string | null>();
  private readonly fresh = new Map<string, Account>();

  private constructor(
    private readonly client: Client,
    private readonly scope: string,
    private readonly source: Source,
    private readonly notes: Notes,
    private readonly owner: string | undefined,
  ) {}

  /** Throws SourceError where `owner` names nobody. */
  static async load(
    client: Client,
    scope: string,
    source: Source,
    notes: Notes,
    ownerName: string | undefined,
  ): Promise<People> {
    const owner = ownerName === undefined ? undefined : await accountNamed(client, ownerName);
    const people = new People(client, scope, source, notes, owner);
    const { rows } = await client.query<{ ext: string; id: string | null }>(
      `SELECT i.external_id AS ext, u.id FROM imported_ids i LEFT JOIN users u ON u.id = i.target_id
       WHERE i.scope = $1 AND i.kind = 'user'`,
      [scope],
    );
    for (const { ext, id } of rows) people.known.set(ext, id);
    return people;
  }

  add(user: OldUser, table: string): 'new' | 'known' | 'twice' {
    if (this.fresh.has(user.id)) return 'twice';
    if (this.known.has(user.id)) return 'known';
    this.remember(user.id, user, this.hash(user.password, table));
    return 'new';
  }

  /** Undefined where the person is not in the source. */
  addPassword({ user, password }: OldPassword, table: string): 'new' | 'known' | undefined {
    const account = this.fresh.get(user);
    if (!account) return this.known.has(user) ? 'known' : undefined;
    account.passwordHash ??= this.hash(password, table);
    return 'new';
  }

  /** Gives the account of an id, making one where the source has no user rows; undefined for an orphan. */
  of(ext: string): string | undefined {
    const id = this.known.get(ext);
    if (id || id === null || this.source.unknownUsers === 'orphan') return id ?? undefined;
    return this.remember(ext, { username: /^[0-9a-f]{24}$|^\d+$/i.test(ext) ? `user-${ext}` : ext }, null);
  }

  /** The account that takes what has no owner. */
  ownerless(): string {
    return this.owner ?? this.known.get('') ?? this.remember('', { username: this.source.ownerless }, null);
  }

  /** Makes the new accounts. A name that is taken gets `-legacy`, `-legacy-2`, ...; a taken address is left off. */
  async store(importId: string): Promise<number> {
    const accounts = [...this.fresh.values()];
    let made = 0;
    for (let at = 0; at < accounts.length; at += CHUNK) {
      const chunk = accounts.slice(at, at + CHUNK);
      const taken = await this.findTaken(chunk);
      // Those that an earlier revert kept because somebody used them are there already.
      const rows = [];
      for (const account of chunk) if (!taken.ids.has(account.id)) rows.push(await this.settled(account, taken));
      made += rows.length;
      await this.insert(importId, chunk, rows);
    }
    return made;
  }

  private async insert(importId: string, chunk: Account[], rows: object[]): Promise<void> {
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
       SELECT $1, 'user', ext, $2, id FROM json_to_recordset($3) AS r (id uuid, ext text)
       ON CONFLICT (kind, external_id, scope) DO UPDATE SET import_id = $2, target_id = excluded.target_id`,
      [this.scope, importId, JSON.stringify(chunk.map(({ id, ext }) => ({ id, ext })))],
    );
  }

  private hash(password: string | null, table: string): string | null {
    if (password === null || password === '') return null;
    if (isLegacyHash(password) || password.startsWith('$argon2id$')) return password;
    this.notes.leaveOut(`${table}.password (no hash of a known form)`);
    return null;
  }

  private remember(ext: string, user: Partial<OldUser>, passwordHash: string | null): string {
    const createdAt = user.createdAt ?? null;
    const id = namedId(createdAt, this.scope, 'user', ext);
    const told = user.username?.trim() || user.email?.trim() || user.displayName?.trim() || `user-${ext}`;
    const name = EMAIL.test(told) ? (told.split('@')[0] ?? told) : told;
    this.known.set(ext, id);
    this.fresh.set(ext, {
      id,
      ext,
      oldName: user.username?.trim() || name,
      username: usable(name) ?? `user-${usable(ext) ?? id}`,
      email: user.email?.trim() || (EMAIL.test(told) ? told : null),
      displayName: user.displayName?.trim() || name,
      passwordHash,
      createdAt,
    });
    return id;
  }

  private async findTaken(chunk: Account[]): Promise<Taken> {
    const { rows } = await this.client.query<{ id: string; name: string; email: string | null }>(
      `SELECT id, username_key AS name, email_key AS email FROM users
       WHERE id = ANY ($1) OR username_key = ANY ($2) OR email_key = ANY ($3)`,
      [
        chunk.map(({ id }) => id),
        chunk.map(({ username }) => comparable(username)),
        chunk.map(({ email }) => comparable(email ?? '')),
      ],
    );
    return {
      ids: new Set(rows.map(({ id }) => id)),
      names: new Set(rows.map(({ name }) => name)),
      emails: new Set(rows.flatMap(({ email }) => email ?? [])),
    };
  }

  private async settled(account: Account, taken: Taken) {
    const username = await this.freeName(account.username, taken.names);
    taken.names.add(comparable(username));
    if (username !== account.oldName) this.renamed.push(`${account.oldName} -> ${username}`);
    const usable = account.email !== null && isAddress(account.email) && !taken.emails.has(comparable(account.email));
    const email = usable ? account.email : null;
    if (account.email && !usable) this.renamed.push(`${account.email} -> no address (${username})`);
    if (email) taken.emails.add(comparable(email));
    return {
      id: account.id,
      username,
      username_key: comparable(username),
      email,
      email_key: email && comparable(email),
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

/** As a username may be written; nothing where nothing of it can be read. */
function usable(name: string): string | undefined {
  const written = Array.from(name.replace(/[^\p{L}\p{N}_.-]+/gu, '-'));
  return /[\p{L}\p{N}]/u.test(name) ? written.slice(0, MAX_NAME).join('') : undefined;
}

function isAddress(text: string): boolean {
  return text.length <= MAX_EMAIL && EMAIL.test(text);
}

/** Throws SourceError where nobody has this name. */
export async function accountNamed(client: Client, username: string): Promise<string> {
  const { rows } = await client.query<{ id: string }>(`SELECT id FROM users WHERE username_key = $1`, [
    comparable(username),
  ]);
  if (!rows[0]) throw new SourceError(`There is no account named ${username}.`);
  return rows[0].id;
}
