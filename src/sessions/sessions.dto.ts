import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, Length } from 'class-validator';
import { IsId } from '../platform/http/is-id.js';
import { PageQuery } from '../platform/http/paging.js';
import type { SessionStatus, SessionType } from './session.entity.js';
import { Optional } from '../platform/http/optional.js';
import { Trimmed } from '../platform/http/trimmed.js';

export class SessionBody {
  @ApiProperty({ enum: ['agent', 'peer'] })
  @IsIn(['agent', 'peer'])
  type: SessionType;

  @ApiPropertyOptional({ maxLength: 200 })
  @Optional()
  @Trimmed()
  @IsString()
  @Length(1, 200)
  title?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'Of an agent session: who answers.' })
  @Optional()
  @IsId()
  agentId?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'Of a peer session: the advocate, who must be one.' })
  @Optional()
  @IsId()
  advocateId?: string;

  @ApiPropertyOptional({
    maxLength: 200,
    description: 'A name of your own: the same one again finds the same session.',
  })
  @Optional()
  @IsString()
  @Length(1, 200)
  externalId?: string;
}

export class SessionPatch {
  @ApiPropertyOptional({ maxLength: 200 })
  @Optional()
  @Trimmed()
  @IsString()
  @Length(1, 200)
  title?: string;

  @ApiPropertyOptional({ enum: ['open', 'closed'] })
  @Optional()
  @IsIn(['open', 'closed'])
  status?: SessionStatus;
}

export class SessionsQuery extends PageQuery {
  @ApiPropertyOptional({ enum: ['agent', 'peer'] })
  @Optional()
  @IsIn(['agent', 'peer'])
  type?: SessionType;

  @ApiPropertyOptional({ enum: ['open', 'closed'] })
  @Optional()
  @IsIn(['open', 'closed'])
  status?: SessionStatus;

  @ApiPropertyOptional({ format: 'uuid' })
  @Optional()
  @IsId()
  agentId?: string;
}
