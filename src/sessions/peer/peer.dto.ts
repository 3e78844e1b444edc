import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsId } from '../../platform/http/is-id.js';
import { Optional } from '../../platform/http/optional.js';

export class TransferBody {
  @ApiProperty({ format: 'uuid', description: 'Who takes it on: an advocate.' })
  @IsId()
  advocateId: string;
}

export class HandoffBody {
  @ApiPropertyOptional({ format: 'uuid', description: 'Who takes it on; without one it waits in the queue.' })
  @Optional()
  @IsId()
  advocateId?: string;
}
