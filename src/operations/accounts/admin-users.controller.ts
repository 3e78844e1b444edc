import { Body, Controller, Get, Param, Patch, Query } from '@nestjs/common';
import { ApiConflictResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, Caller } from '../../auth/actor.js';
import { AccountAudit, AccountEventView } from '../../auth/audit/account-audit.service.js';
import { Administrator } from '../../auth/stated-access.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../../platform/http/paging.js';
import { AccountAdministration } from './account-administration.service.js';
import { AccountsQuery, AdministeredAccount, RightsBody } from './accounts.dto.js';

@ApiTags('administration')
@Administrator()
@Controller('api/v1/admin/users')
export class AdminUsersController {
  constructor(
    private readonly accounts: AccountAdministration,
    private readonly audit: AccountAudit,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Every account' })
  @ApiPage(AdministeredAccount)
  list(@Query() query: AccountsQuery): Promise<Page<AdministeredAccount>> {
    return this.accounts.list(query);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Give and take rights, switch an account off and on, demand a second factor' })
  @ApiOkResponse({ type: AdministeredAccount })
  @ApiConflictResponse({ description: 'It is the last administrator.' })
  change(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Body() body: RightsBody,
  ): Promise<AdministeredAccount> {
    return this.accounts.change(id, body, caller.userId);
  }

  @Get(':id/audit')
  @ApiOperation({ summary: 'What happened to an account, newest first' })
  @ApiPage(AccountEventView)
  async trail(@Param('id', IdPipe) id: string, @Query() page: PageQuery): Promise<Page<AccountEventView>> {
    await this.accounts.mustExist(id);
    return this.audit.list(id, page);
  }
}
