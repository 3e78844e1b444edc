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
  /** Once it is settled, that of the account. */
  username: string;
  email: string | null;
  /** An earlier revert kept it, because somebody used it. */
  isThere: boolean;
  displayName: string;
  passwordHash: string | null;
  createdAt: Date | null;
}

interface Taken {
  /** The usernames of accounts by their ids. */
  ids: Map<string, string>;
  names: Set<string>;
  emails: Set<string>;
}

/** The accounts that an import takes or makes, by the id that they have in the old system; '' is who takes what has no owner. */
export class People {
  readonly renamed: string[] = [];
  /** Null: the account was made by an earlier import, and its person has deleted it. */
  private readonly known = new Map<string, string | null>();
  private readonly fresh = new Map<string, Account>();
  /** By the id in the old system: how those are called here whose account was there before. */
  private readonly names = new Map<string, string>();
  private unsettled: Account[] = [];
  /** What was given to the accounts that this import makes. */
  private readonly given = { names: new Set<string>(), emails: new Set<string>() };

  private constructor(
    private readonly client: Client,
    private readonly scope: string,
    private readonly source: Source,
    private readonly notes: Notes,
    /** The account that takes what has no owner, where one was named. */
    readonly owner: string | undefined,
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
    const { rows } = await client.query<{ ext: string; id: string | null; username: string | null }>(
      `SELECT i.external_id AS ext, u.id, u.username FROM imported_ids i LEFT JOIN users u ON u.id = i.target_id
       WHERE i.scope = $1 AND i.kind = 'user'`,
      [scope],
    );
    for (const { ext, id, username } of rows) {
      people.known.set(ext, id);
      if (username !== null) people.names.set(ext, username);
    }
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

  /** How somebody is called here, once all names are settled. */
  nameOf(ext: string): string | undefined {
    return this.fresh.get(ext)?.username ?? this.names.get(ext);
  }

  /** Makes the new accounts. Throws SourceError where somebody has taken a name or an address while it read. */
  async store(importId: string): Promise<number> {
    await this.settle();
    const accounts = [...this.fresh.values()];
    let made = 0;
    for (let at = 0; at < accounts.length; at += CHUNK) {
      const chunk = accounts.slice(at, at + CHUNK);
      const fresh = chunk.filter(({ isThere }) => !isThere);
      mustBeFree(fresh, await this.findTaken(fresh));
      made += fresh.length;
      await this.insert(importId, chunk, fresh.map(asRow));
    }
    return made;
  }

  /** Gives everybody so far their name: one that is taken gets `-legacy`, `-legacy-2`, ...; a taken address is left off. */
  get isSettled(): boolean {
    return this.unsettled.length === 0;
  }

  async settle(): Promise<void> {
    const accounts = this.unsettled;
    this.unsettled = [];
    for (let at = 0; at < accounts.length; at += CHUNK) {
      const chunk = accounts.slice(at, at + CHUNK);
      const taken = await this.findTaken(chunk);
      for (const account of chunk) {
        account.isThere = taken.ids.has(account.id);
        if (account.isThere) account.username = taken.ids.get(account.id) as string;
        else await this.settleOne(account, taken);
      }
    }
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
    const account: Account = {
      id,
      ext,
      oldName: user.username?.trim() || name,
      username: usable(name) ?? `user-${usable(ext) ?? id}`,
      email: user.email?.trim() || (EMAIL.test(told) ? told : null),
      displayName: user.displayName?.trim() || name,
      isThere: false,
      passwordHash,
      createdAt,
    };
    this.known.set(ext, id);
    this.fresh.set(ext, account);
    this.unsettled.push(account);
    return id;
  }

  private async findTaken(chunk: Account[]): Promise<Taken> {
    const { rows } = await this.client.query<{ id: string; username: string; name: string; email: string | null }>(
      `SELECT id, username, username_key AS name, email_key AS email FROM users
       WHERE id = ANY ($1) OR username_key = ANY ($2) OR email_key = ANY ($3)`,
      [
        chunk.map(({ id }) => id),
        chunk.map(({ username }) => comparable(username)),
        chunk.map(({ email }) => comparable(email ?? '')),
      ],
    );
    return {
      ids: new Map(rows.map(({ id, username }) => [id, username])),
      names: new Set(rows.map(({ name }) => name)),
      emails: new Set(rows.flatMap(({ email }) => email ?? [])),
    };
  }

  private async settleOne(account: Account, taken: Taken): Promise<void> {
    account.username = await this.freeName(account.username, taken.names);
    this.given.names.add(comparable(account.username));
    if (account.username !== account.oldName) this.renamed.push(`${account.oldName} -> ${account.username}`);
    const { email } = account;
    if (email === null) return;
    const key = comparable(email);
    const isFree = isAddress(email) && !taken.emails.has(key) && !this.given.emails.has(key);
    if (isFree) this.given.emails.add(key);
    else this.renamed.push(`${email} -> no address (${account.username})`);
    account.email = isFree ? email : null;
  }

  private async freeName(wanted: string, taken: Set<string>): Promise<string> {
    const isTaken = (name: string) => taken.has(comparable(name)) || this.given.names.has(comparable(name));
    if (!isTaken(wanted)) return wanted;
    for (let n = 1; ; n++) {
      const name = n === 1 ? `${wanted}-legacy` : `${wanted}-legacy-${n}`;
      if (isTaken(name)) continue;
      const { rowCount } = await this.client.query(`SELECT 1 FROM users WHERE username_key = $1`, [comparable(name)]);
      if (rowCount === 0) return name;
    }
  }
}

function asRow({ id, username, email, displayName, passwordHash, createdAt }: Account) {
  return {
    ...{ id, username, username_key: comparable(username), email, email_key: email && comparable(email) },
    ...{ display_name: displayName, password_hash: passwordHash, created_at: createdAt },
  };
}

function mustBeFree(accounts: Account[], taken: Taken): void {
  const gone = accounts.find(
    ({ username, email }) =>
      taken.names.has(comparable(username)) || (email !== null && taken.emails.has(comparable(email))),
  );
  if (gone)
    throw new SourceError(`Somebody has taken the name or the address of ${gone.username} meanwhile: run it again.`);
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
