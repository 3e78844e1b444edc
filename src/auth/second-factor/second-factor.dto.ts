import { ApiProperty } from '@nestjs/swagger';
import { IsString, Matches } from 'class-validator';

export class CodeBody {
  @ApiProperty({ example: '492039' })
  @IsString()
  @Matches(/^[0-9 ]{6,8}$/, { message: 'must be a code of six digits' })
  code: string;
}

export class SecondFactorAnswer {
  @ApiProperty({ description: 'For typing into an authenticator app.', example: 'JBSWY3DPEHPK3PXP' }) secret: string;
  @ApiProperty({ description: 'For showing as a QR code.' }) uri: string;
}

export class RecoveryCodesAnswer {
  @ApiProperty({ type: [String], description: 'Each stands in for a code, once. Never shown again.' })
  recoveryCodes: string[];
}
