import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsEmail, IsString, Length, Matches, MaxLength, MinLength } from 'class-validator';
import { Account } from '../users/profile.presenter.js';
import { Optional } from '../platform/http/optional.js';

const USERNAME = /^[\p{L}\p{N}_.-]+$/u;

export class RegisterBody {
  @ApiProperty({ example: 'ada', minLength: 3, maxLength: 32, description: 'Letters, digits, `_`, `.` and `-`.' })
  @IsString()
  @Length(3, 32)
  @Matches(USERNAME, { message: 'may hold letters, digits, _ . and - only' })
  username: string;

  @ApiProperty({ example: 'ada@example.org', format: 'email' })
  @IsEmail()
  @MaxLength(254)
  email: string;

  @ApiProperty({ example: 'correct horse battery', minLength: 8, maxLength: 128 })
  @IsString()
  @Length(8, 128)
  password: string;

  @ApiPropertyOptional({ example: 'Ada Lovelace', maxLength: 80 })
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
}

export class SignedInAnswer {
  @ApiProperty({ type: Account }) user: Account;
  @ApiProperty({ description: 'For `Authorization: Bearer`.' }) accessToken: string;
  @ApiProperty({ description: 'Works once, for a new pair.' }) refreshToken: string;
  @ApiProperty({ description: 'Life of the access token in seconds.', example: 1800 }) expiresIn: number;
}
