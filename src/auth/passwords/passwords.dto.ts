import { ApiProperty } from '@nestjs/swagger';
import { IsEmail, IsString, MaxLength, MinLength } from 'class-validator';
import { IsNewPassword } from './new-password.js';

export class PasswordBody {
  @ApiProperty({ example: 'correct horse battery' })
  @IsString()
  @MinLength(1)
  @MaxLength(128)
  currentPassword: string;
}

export class ChangePasswordBody extends PasswordBody {
  @IsNewPassword()
  newPassword: string;
}

export class ForgotBody {
  @ApiProperty({ example: 'ada@example.org', format: 'email' })
  @IsEmail()
  @MaxLength(254)
  email: string;
}

export class ResetBody {
  @ApiProperty({ description: 'As it was mailed.' })
  @IsString()
  @MinLength(1)
  @MaxLength(512)
  token: string;

  @IsNewPassword()
  newPassword: string;
}
