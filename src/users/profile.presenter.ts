import { ApiProperty } from '@nestjs/swagger';
import type { User, UserKind } from './user.entity.js';

/** What anyone signed in may know of a person. Never an address. */
export class Profile {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ example: 'ada' }) username: string;
  @ApiProperty({ example: 'Ada Lovelace' }) displayName: string;
  @ApiProperty({ type: String, nullable: true }) avatarUrl: string | null;
  @ApiProperty({ enum: ['human', 'guest', 'bot', 'migrated'] }) kind: UserKind;
}

/** What a person knows of themselves. */
export class Account extends Profile {
  @ApiProperty({ type: String, nullable: true, format: 'email' }) email: string | null;
  @ApiProperty() isAdmin: boolean;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
}

/** Stands where somebody was who has deleted their account. */
export const DELETED_USER: Profile = {
  id: '00000000-0000-0000-0000-000000000000',
  username: 'deleted-user',
  displayName: 'deleted user',
  avatarUrl: null,
  kind: 'human',
};

/** What a query on `users u` selects for presentProfile. */
export const PROFILE_COLUMNS = `u.id, u.username, u.display_name AS "displayName", u.avatar_url AS "avatarUrl", u.kind`;

/** The same of users who are joined as `alias`, as one JSON column: null where nobody is. */
export const profileJson = (alias: string): string => `CASE WHEN ${alias}.id IS NOT NULL THEN json_build_object(
  'id', ${alias}.id, 'username', ${alias}.username, 'displayName', ${alias}.display_name,
  'avatarUrl', ${alias}.avatar_url, 'kind', ${alias}.kind) END`;

export function presentProfile(user: Pick<User, 'id' | 'username' | 'displayName' | 'avatarUrl' | 'kind'>): Profile {
  const { id, username, displayName, avatarUrl, kind } = user;
  return { id, username, displayName, avatarUrl, kind };
}

export function presentAccount(user: User): Account {
  const { email, isAdmin, createdAt } = user;
  return { ...presentProfile(user), email, isAdmin, createdAt: createdAt.toISOString() };
}
