import type { Row } from './row.js';
import type { OldUser } from './source.js';

const PASSWORDS = ['passwordHash', 'hashedPassword', 'password'];
const NAMES = ['displayName', 'fullName', 'name'];

/** A person as Mongoose apps keep them, whose fields vary from one to the next: sessions name them by `_id`. */
export function readMongoUser(row: Row): OldUser {
  const password = PASSWORDS.find((name) => row.has(name));
  const displayName = NAMES.find((name) => row.has(name));
  return {
    kind: 'user',
    id: row.needId(row.has('userId') ? 'userId' : '_id'),
    username: row.text('username'),
    email: row.text('email'),
    displayName: displayName ? row.text(displayName) : null,
    password: password ? row.text(password) : null,
    createdAt: row.time('createdAt'),
  };
}
