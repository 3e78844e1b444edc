import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsEmail, IsOptional, IsString, IsUrl, Length, MaxLength, MinLength } from 'class-validator';
import { Optional } from '../platform/http/optional.js';
import { PageQuery } from '../platform/http/paging.js';
import { IsUsername } from '../users/username.js';

export class PeopleQuery extends PageQuery {
  @ApiProperty({ description: 'How the username starts.', example: 'ad' })
  @IsString()
  @MaxLength(32)
  q: string;
}

export class ProfileBody {
  @ApiPropertyOptional({ example: 'ada' })
  @Optional()
  @IsUsername()
  username?: string;

  @ApiPropertyOptional({ example: 'Ada Lovelace', maxLength: 80 })
  @Optional()
  @IsString()
  @Length(1, 80)
  displayName?: string;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'Null takes the picture away.' })
  @IsOptional()
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false })
  @MaxLength(2048)
  avatarUrl?: string | null;

  @ApiPropertyOptional({ example: 'ada@example.org', description: 'Takes `currentPassword`.' })
  @Optional()
  @IsEmail()
  @MaxLength(254)
  email?: string;

  @ApiPropertyOptional({ example: 'correct horse battery' })
  @Optional()
  @IsString()
  @MinLength(1)
  @MaxLength(128)
  currentPassword?: string;
}
