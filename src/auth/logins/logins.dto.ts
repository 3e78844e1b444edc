import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength, MinLength } from 'class-validator';

export class RefreshBody {
  @ApiProperty({ description: 'As the last sign-in or refresh gave it.' })
  @IsString()
  @MinLength(1)
  @MaxLength(512)
  refreshToken: string;
}

export class LoginView {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ type: String, nullable: true, example: 'Mozilla/5.0' }) device: string | null;
  @ApiProperty({ type: String, nullable: true, example: '203.0.113.7' }) address: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
  @ApiProperty({ format: 'date-time' }) lastUsedAt: string;
  @ApiProperty({ description: 'The login that asks.' }) current: boolean;
}
