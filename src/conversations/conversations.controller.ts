import { Body, Controller, Param, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { AccessService } from '../access/access.service.js';
import { type Actor, Caller } from '../auth/actor.js';
import { SignedIn } from '../auth/stated-access.js';
import { IdPipe } from '../platform/http/id.pipe.js';
import { ConversationsService } from './conversations.service.js';

export class ReadBody {
  @ApiProperty({ description: 'The seq of the last message that was read.', example: 41 })
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  seq: number;
}

@ApiTags('conversations')
@SignedIn()
@Controller('api/v1/conversations')
export class ConversationsController {
  constructor(
    private readonly access: AccessService,
    private readonly conversations: ConversationsService,
  ) {}

  @Put(':id/read')
  @ApiOperation({ summary: "Move the caller's read marker forward" })
  @ApiOkResponse({ description: 'Where the marker stands: never further back than it was.', type: ReadBody })
  async read(@Caller() caller: Actor, @Param('id', IdPipe) id: string, @Body() body: ReadBody): Promise<ReadBody> {
    const reader = await this.access.enter(caller, id, 'read');
    return { seq: await this.conversations.markRead(reader, body.seq) };
  }
}
