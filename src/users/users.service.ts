import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../platform/database/unit-of-work.js';
import { unlessBroken } from '../platform/http/database-problem.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../platform/http/paging.js';
import { Problem } from '../platform/http/problem.js';
import { comparable } from './names.js';
import { presentProfile, type Profile } from './profile.presenter.js';
import { User, type UserKind } from './user.entity.js';

export interface NewUser {
  username: string;
  email?: string;
  displayName?: string | undefined;
  passwordHash?: string;
  kind?: UserKind;
}

export interface Claim {
  username: string;
  email: string;
  passwordHash: string;
}

/** What a person may change about themselves; what is not named stays. */
export interface ProfileChange {
  username?: string | undefined;
  email?: string | undefined;
  displayName?: string | undefined;
  avatarUrl?: string | null | undefined;
}

@Injectable()
export class UsersService {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  /** Throws 409 `conflict` naming the field where the name or address is taken, however the calls race. */
  async create(tx: Tx, { username, email, displayName, passwordHash, kind }: NewUser): Promise<User> {
    const user = tx.manager.create(User, {
      id: uuidv7(),
      username,
      usernameKey: comparable(username),
      email: email ?? null,
      emailKey: email === undefined ? null : comparable(email),
      displayName: displayName ?? username,
      passwordHash: passwordHash ?? null,
      kind: kind ?? 'human',
    });
    await naming(tx.manager.insert(User, user));
    return tx.manager.findOneByOrFail(User, { id: user.id });
  }

  /** The account with its row locked until the transaction ends. */
  lock(tx: Tx, id: string): Promise<User | null> {
    return tx.manager.findOne(User, { where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  async setPassword(tx: Tx, id: string, passwordHash: string): Promise<void> {
    await tx.manager.update(User, { id }, { passwordHash });
  }

  /** Gives nothing where it is no guest. Throws 409 as `create` does. */
  async claim(tx: Tx, id: string, { username, email, passwordHash }: Claim): Promise<User | null> {
    const user = await this.lock(tx, id);
    if (user?.kind !== 'guest') return null;
    const displayName = user.displayName === 'Guest' ? username : user.displayName;
    const keys = { usernameKey: comparable(username), emailKey: comparable(email) };
    const full = { username, email, displayName, passwordHash, kind: 'human' as const, ...keys };
    await naming(tx.manager.update(User, { id }, full));
    return tx.manager.findOneByOrFail(User, { id });
  }

  /** Throws 409 as `create` does. */
  async change(tx: Tx, id: string, change: ProfileChange): Promise<User> {
    const { username, email } = change;
    await naming(
      tx.manager.update(
        User,
        { id },
        {
          ...withoutUndefined(change),
          ...(username === undefined ? {} : { usernameKey: comparable(username) }),
          ...(email === undefined ? {} : { emailKey: comparable(email) }),
          updatedAt: () => 'now()',
        },
      ),
    );
    return tx.manager.findOneByOrFail(User, { id });
  }

  /** Takes a username or an address. */
  async findByLogin(login: string): Promise<User | null> {
    const key = comparable(login);
    const field = key.includes('@') ? 'emailKey' : 'usernameKey';
    return this.users.findOneBy({ [field]: key });
  }

  async find(id: string): Promise<User | null> {
    return this.users.findOneBy({ id });
  }

  /** Throws 404. */
  async profile(id: string): Promise<Profile> {
    const user = await this.find(id);
    if (!user) throw Problem.notFound('This person');
    return presentProfile(user);
  }

  async profiles(ids: string[]): Promise<Map<string, Profile>> {
    const users = ids.length > 0 ? await this.users.findBy({ id: In(ids) }) : [];
    return new Map(users.map((user) => [user.id, presentProfile(user)]));
  }

  /** People whose username starts with `q`, by username. */
  async search(q: string, { limit, cursor }: PageQuery): Promise<Page<Profile>> {
    const [after] = readCursor(cursor, ['string']) ?? [''];
    const prefix = comparable(q).replace(/[\\%_]/g, '\\$&');
    const rows = await this.users
      .createQueryBuilder('u')
      .where('u.usernameKey LIKE :pattern', { pattern: `${prefix}%` })
      .andWhere('u.usernameKey > :after', { after })
      .orderBy('u.usernameKey')
      .limit(limit + 1)
      .getMany();
    return pageOf(rows, limit, (user) => [user.usernameKey], presentProfile);
  }
}

function naming<T>(writing: Promise<T>): Promise<T> {
  const taken = (path: string, what: string) =>
    new Problem(409, 'conflict', `This ${what} is taken.`, [{ path, message: 'is taken' }]);
  return unlessBroken(writing, {
    users_username_key: () => taken('username', 'username'),
    users_email_key: () => taken('email', 'address'),
  });
}

function withoutUndefined({ username, email, displayName, avatarUrl }: ProfileChange): Partial<User> {
  return Object.fromEntries(
    Object.entries({ username, email, displayName, avatarUrl }).filter(([, value]) => value !== undefined),
  );
}
