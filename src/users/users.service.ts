import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../platform/database/unit-of-work.js';
import { breaks } from '../platform/http/database-problem.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../platform/http/paging.js';
import { Problem } from '../platform/http/problem.js';
import { comparable } from './names.js';
import { presentProfile, type Profile } from './profile.presenter.js';
import { User } from './user.entity.js';

export interface NewUser {
  username: string;
  email: string;
  displayName?: string;
  passwordHash: string;
}

@Injectable()
export class UsersService {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  /** Throws 409 `conflict` naming the field where the name or address is taken, however the calls race. */
  async create(tx: Tx, { username, email, displayName, passwordHash }: NewUser): Promise<User> {
    const user = tx.manager.create(User, {
      id: uuidv7(),
      username,
      usernameKey: comparable(username),
      email,
      emailKey: comparable(email),
      displayName: displayName ?? username,
      passwordHash,
    });
    try {
      await tx.manager.insert(User, user);
    } catch (error) {
      throw takenProblem(error) ?? error;
    }
    return tx.manager.findOneByOrFail(User, { id: user.id });
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

function takenProblem(error: unknown): Problem | undefined {
  const taken = (path: string, what: string) =>
    new Problem(409, 'conflict', `This ${what} is taken.`, [{ path, message: 'is taken' }]);
  if (breaks(error, 'users_username_key')) return taken('username', 'username');
  if (breaks(error, 'users_email_key')) return taken('email', 'address');
  return undefined;
}
