import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsString, MaxLength } from 'class-validator';
import { Optional } from '../../platform/http/optional.js';
import { PageQuery } from '../../platform/http/paging.js';
import { Account, presentAccount } from '../../users/profile.presenter.js';
import type { User } from '../../users/user.entity.js';

export class AccountsQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'How the username starts.' })
  @Optional()
  @IsString()
  @MaxLength(32)
  q?: string;
}

export class RightsBody {
  @ApiPropertyOptional()
  @Optional()
  @IsBoolean()
  isAdmin?: boolean;

  @ApiPropertyOptional()
  @Optional()
  @IsBoolean()
  isAdvocate?: boolean;

  @ApiPropertyOptional({ description: 'A switched-off account cannot sign in, and its sockets close at once.' })
  @Optional()
  @IsBoolean()
  disabled?: boolean;

  @ApiPropertyOptional({ description: 'Until they have a second factor they can do nothing but set one up.' })
  @Optional()
  @IsBoolean()
  secondFactorRequired?: boolean;
}

/** An account as administrators see it. */
export class AdministeredAccount extends Account {
  @ApiProperty() isAdvocate: boolean;
  @ApiProperty() secondFactorRequired: boolean;
  @ApiProperty() disabled: boolean;
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) disabledAt: string | null;
}

export function presentAdministered(user: User): AdministeredAccount {
  const { isAdvocate, secondFactorRequired, disabledAt } = user;
  return {
    ...presentAccount(user),
    isAdvocate,
    secondFactorRequired,
    disabled: disabledAt !== null,
    disabledAt: disabledAt?.toISOString() ?? null,
  };
}
