import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { IsString, Length } from 'class-validator';
import { AccessService } from '../../access/access.service.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { Optional } from '../../platform/http/optional.js';
import { type Page, PageQuery } from '../../platform/http/paging.js';
import { BansService, BanView } from './bans.service.js';

class BanBody {
  @ApiPropertyOptional({ maxLength: 500, description: 'For the audit log and the list of bans.' })
  @Optional()
  @IsString()
  @Length(1, 500)
  reason?: string;
}

@ApiTags('members')
@SignedIn()
@Controller('api/v1/servers/:id/bans')
export class BansController {
  constructor(
    private readonly access: AccessService,
    private readonly bans: BansService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Who is banned; for ADMIN and MODERATOR' })
  @ApiPage(BanView)
  async list(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Query() page: PageQuery,
  ): Promise<Page<BanView>> {
    return this.bans.list(await this.access.enterServer(caller, id, 'ban-member'), page);
  }

  @Put(':userId')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Ban somebody; for ADMIN and MODERATOR',
    description:
      'A member of a lower role is removed, and hears nothing more at once. Somebody outside cannot come in. Twice is once.',
  })
  @ApiNoContentResponse()
  async ban(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('userId', IdPipe) userId: string,
    @Body() { reason }: BanBody,
  ): Promise<void> {
    await this.bans.ban(caller, id, userId, reason);
  }

  @Delete(':userId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Lift a ban; for ADMIN and MODERATOR' })
  @ApiNoContentResponse()
  async lift(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('userId', IdPipe) userId: string,
  ): Promise<void> {
    await this.bans.lift(caller, id, userId);
  }
}
