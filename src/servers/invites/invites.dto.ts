import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { Optional } from '../../platform/http/optional.js';

const YEAR_SECONDS = 365 * 86_400;

export class InviteBody {
  @ApiPropertyOptional({ minimum: 1, maximum: 100_000, description: 'Any number where nothing is said.', example: 10 })
  @Optional()
  @IsInt()
  @Min(1)
  @Max(100_000)
  maxUses?: number;

  @ApiPropertyOptional({
    minimum: 1,
    maximum: YEAR_SECONDS,
    description: 'In seconds; for good where nothing is said.',
  })
  @Optional()
  @IsInt()
  @Min(1)
  @Max(YEAR_SECONDS)
  expiresIn?: number;
}

export class InviteView {
  @ApiProperty({ example: 'mB3xN0a9kZq1Lw7T' }) code: string;
  @ApiProperty({ format: 'uuid' }) serverId: string;
  @ApiProperty({ type: String, nullable: true, format: 'uuid' }) createdBy: string | null;
  @ApiProperty({ type: Number, nullable: true, example: 10 }) maxUses: number | null;
  @ApiProperty({ example: 3 }) uses: number;
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) expiresAt: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
}

class InvitedTo {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ example: 'The Analytical Society' }) name: string;
  @ApiProperty({ type: String, nullable: true }) iconUrl: string | null;
}

export class InvitePreview {
  @ApiProperty({ example: 'mB3xN0a9kZq1Lw7T' }) code: string;
  @ApiProperty({ type: InvitedTo }) server: InvitedTo;
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) expiresAt: string | null;
}
