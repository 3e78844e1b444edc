import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsEmail, IsString, Length, Matches, MaxLength, MinLength } from 'class-validator';
import { Account } from '../users/profile.presenter.js';
import { Optional } from '../platform/http/optional.js';
import { IsUsername } from '../users/username.js';
import { IsNewPassword } from './passwords/new-password.js';

export class ClaimBody {
  @IsUsername()
  username: string;

  @ApiProperty({ example: 'ada@example.org', format: 'email' })
  @IsEmail()
  @MaxLength(254)
  email: string;

  @IsNewPassword()
  password: string;
}

export class RegisterBody extends ClaimBody {
  @ApiPropertyOptional({ example: 'Ada Lovelace', maxLength: 80 })
  @Optional()
  @IsString()
  @Length(1, 80)
  displayName?: string;
}

export class GuestBody {
  @ApiPropertyOptional({ example: 'Ada', maxLength: 80 })
  @Optional()
  @IsString()
  @Length(1, 80)
  displayName?: string;
}

export class LoginBody {
  @ApiProperty({ example: 'ada', description: 'Username or address.' })
  @IsString()
  @MinLength(1)
  @MaxLength(254)
  login: string;

  @ApiProperty({ example: 'correct horse battery' })
  @IsString()
  @MinLength(1)
  @MaxLength(128)
  password: string;

  @ApiPropertyOptional({
    example: '492039',
    description: 'Where a second factor is set up: a code of the authenticator app, or a recovery code.',
  })
  @Optional()
  @IsString()
  @Matches(/^[A-Za-z0-9 -]{6,32}$/, { message: 'must be a code' })
  code?: string;
}

export class TokensAnswer {
  @ApiProperty({ description: 'For `Authorization: Bearer`.' }) accessToken: string;
  @ApiProperty({ description: 'Works once, for a new pair.' }) refreshToken: string;
  @ApiProperty({ description: 'Life of the access token in seconds.', example: 1800 }) expiresIn: number;
}

export class SignedInAnswer extends TokensAnswer {
  @ApiProperty({ type: Account }) user: Account;
}
