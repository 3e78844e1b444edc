import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsUUID } from 'class-validator';
import { Optional } from '../../platform/http/optional.js';

export class TransferBody {
  @ApiProperty({ format: 'uuid', description: 'Who takes it on: an advocate.' })
  @IsUUID()
  advocateId: string;
}

export class HandoffBody {
  @ApiPropertyOptional({ format: 'uuid', description: 'Who takes it on; without one it waits in the queue.' })
  @Optional()
  @IsUUID()
  advocateId?: string;
}
