import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsRFC3339 } from 'class-validator';
import { Optional } from '../platform/http/optional.js';
import { type Level, LEVELS } from './conversation-notifications.entity.js';

export class NotificationsBody {
  @ApiProperty({ enum: LEVELS })
  @IsIn(LEVELS)
  level: Level;

  @ApiPropertyOptional({ format: 'date-time', description: 'Until then nothing is notified; without it, not muted.' })
  @Optional()
  @IsRFC3339()
  mutedUntil?: string;
}
