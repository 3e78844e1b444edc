import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength } from 'class-validator';
import { Optional } from '../../platform/http/optional.js';

export class LinkedQuery {
  @ApiProperty({ description: 'As the link has it.' })
  @IsString()
  @MaxLength(120)
  token: string;

  @ApiPropertyOptional({ enum: ['thumbnail'] })
  @Optional()
  @IsIn(['thumbnail'])
  size?: 'thumbnail';
}

export class AttachmentLink {
  @ApiProperty({ example: '/api/v1/attachments/01990000-0000-7000-8000-00000000cafe/linked?token=...' }) url: string;
  @ApiProperty({ type: String, nullable: true }) thumbnailUrl: string | null;
  @ApiProperty({ format: 'date-time' }) expiresAt: string;
}
