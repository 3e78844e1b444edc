import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator';
import { IsId } from '../../platform/http/is-id.js';
import type { ChannelType } from './channel.entity.js';
import { Optional } from '../../platform/http/optional.js';
import { Trimmed } from '../../platform/http/trimmed.js';

export class ChannelBody {
  @ApiProperty({ example: 'engines', minLength: 1, maxLength: 100 })
  @Trimmed()
  @IsString()
  @Length(1, 100)
  name: string;

  @ApiProperty({ enum: ['TEXT', 'VOICE'] })
  @IsIn(['TEXT', 'VOICE'])
  type: ChannelType;

  @ApiPropertyOptional({ format: 'uuid' })
  @Optional()
  @IsId()
  categoryId?: string;

  @ApiPropertyOptional({ description: 'Where it stands; the end by default.', minimum: 0 })
  @Optional()
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  position?: number;

  @ApiPropertyOptional({ maxLength: 1024 })
  @Optional()
  @IsString()
  @Length(0, 1024)
  topic?: string;
}

export class ChannelPatch {
  @ApiPropertyOptional({ minLength: 1, maxLength: 100 })
  @Optional()
  @Trimmed()
  @IsString()
  @Length(1, 100)
  name?: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    format: 'uuid',
    description: 'Null takes it out of its category.',
  })
  @IsOptional()
  @IsId()
  categoryId?: string | null;

  @ApiPropertyOptional({ minimum: 0, description: 'What stands there makes room.' })
  @Optional()
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  position?: number;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 1024, description: 'Null takes it away.' })
  @IsOptional()
  @IsString()
  @Length(0, 1024)
  topic?: string | null;
}

export class CategoryBody {
  @ApiProperty({ example: 'Engines', minLength: 1, maxLength: 100 })
  @Trimmed()
  @IsString()
  @Length(1, 100)
  name: string;

  @ApiPropertyOptional({ description: 'Where it stands; the end by default.', minimum: 0 })
  @Optional()
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  position?: number;
}

export class CategoryPatch {
  @ApiPropertyOptional({ minLength: 1, maxLength: 100 })
  @Optional()
  @Trimmed()
  @IsString()
  @Length(1, 100)
  name?: string;

  @ApiPropertyOptional({ minimum: 0, description: 'What stands there makes room.' })
  @Optional()
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  position?: number;
}
