import { Controller, Headers, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { type Actor, Caller } from '../actor.js';
import { SignedIn } from '../stated-access.js';
import { TokensService } from '../tokens.service.js';
import { TICKET_SECONDS, TicketsService } from './tickets.service.js';

class TicketAnswer {
  @ApiProperty({ description: 'For `?ticket=` of the realtime socket, once.' }) ticket: string;
  @ApiProperty({ description: 'Seconds that it is good for.', example: TICKET_SECONDS }) expiresIn: number;
}

@ApiTags('auth')
@SignedIn()
@Controller('api/v1/auth/tickets')
export class TicketsController {
  constructor(
    private readonly tickets: TicketsService,
    private readonly tokens: TokensService,
  ) {}

  @Post()
  @ApiOperation({ summary: 'A single-use ticket that opens the realtime socket without a token in its URL' })
  @ApiCreatedResponse({ type: TicketAnswer })
  async issue(@Caller() caller: Actor, @Headers('authorization') authorization: string): Promise<TicketAnswer> {
    const expiresAt = this.tokens.expiryOf(authorization.replace(/^bearer\s+/i, ''));
    return { ticket: await this.tickets.issue(caller, expiresAt), expiresIn: TICKET_SECONDS };
  }
}
