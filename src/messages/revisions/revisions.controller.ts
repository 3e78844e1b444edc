import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiForbiddenResponse, ApiNotFoundResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AccessService } from '../../access/access.service.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../../platform/http/paging.js';
import { RevisionsService, RevisionView } from './revisions.service.js';

@ApiTags('messages')
@SignedIn()
@Controller('api/v1/conversations/:id/messages/:messageId/revisions')
export class RevisionsController {
  constructor(
    private readonly access: AccessService,
    private readonly revisions: RevisionsService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'What an edited message said before, oldest first; for its author and moderators' })
  @ApiPage(RevisionView)
  @ApiForbiddenResponse({ description: '`forbidden`: neither its author nor a moderator.' })
  @ApiNotFoundResponse({ description: '`not_found`: no such message in a conversation that you can see.' })
  async list(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('messageId', IdPipe) messageId: string,
    @Query() page: PageQuery,
  ): Promise<Page<RevisionView>> {
    return this.revisions.list(await this.access.enterToChange(caller, id), messageId, page);
  }
}
