import { ApiProperty } from '@nestjs/swagger';
import { presentProfile, Profile, PROFILE_COLUMNS } from '../../users/profile.presenter.js';
import { type Status, STATUSES } from '../../users/presence/roster.js';
import type { UserKind } from '../../users/user.entity.js';
import type { Role } from './membership.entity.js';

export class MemberView {
  @ApiProperty({ type: Profile }) user: Profile;
  @ApiProperty({ enum: ['ADMIN', 'MODERATOR', 'MEMBER'] }) role: Role;
  @ApiProperty({ format: 'date-time' }) joinedAt: string;
}

/** As the list of members shows them. */
export class ListedMemberView extends MemberView {
  @ApiProperty({ enum: STATUSES, description: 'Whether they are here, as far as they let others see.' })
  presence: Status;
}

/** A row of MEMBER_ROWS. */
export interface MemberRow {
  id: string;
  username: string;
  displayName: string;
  avatarUrl: string | null;
  kind: UserKind;
  role: Role;
  joinedAt: Date;
}

export const MEMBER_ROWS = `
  SELECT ${PROFILE_COLUMNS}, m.role,
    m.joined_at AS "joinedAt"
  FROM memberships m JOIN users u ON u.id = m.user_id`;

export function presentMember(row: MemberRow): MemberView {
  return { user: presentProfile(row), role: row.role, joinedAt: row.joinedAt.toISOString() };
}
