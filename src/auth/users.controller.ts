import { Body, Controller, Get, Param, Patch, Query } from '@nestjs/common';
import { ApiConflictResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage } from '../platform/http/api-page.js';
import { IdPipe } from '../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../platform/http/paging.js';
import { Problem } from '../platform/http/problem.js';
import { Account, presentAccount, Profile } from '../users/profile.presenter.js';
import { UsersService } from '../users/users.service.js';
import { type Actor, Caller } from './actor.js';
import { AccountAudit, AccountEventView } from './audit/account-audit.service.js';
import { CallOrigin, type Origin } from './origin.js';
import { ProfileService } from './profile.service.js';
import { SignedIn } from './stated-access.js';
import { PeopleQuery, ProfileBody } from './users.dto.js';

/** Stands in auth/ and not in users/, since it asks who is calling: imports point down only. */
@ApiTags('users')
@SignedIn()
@Controller('api/v1/users')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly profiles: ProfileService,
    private readonly audit: AccountAudit,
  ) {}

  @Get('me')
  @ApiOperation({ summary: 'The account of the caller' })
  @ApiOkResponse({ type: Account })
  async me(@Caller() caller: Actor): Promise<Account> {
    const user = await this.users.find(caller.userId);
    if (!user) throw Problem.unauthorized();
    return presentAccount(user);
  }

  @Patch('me')
  @ApiOperation({ summary: 'Change the name, the picture or the address of the caller' })
  @ApiOkResponse({ type: Account })
  @ApiConflictResponse({ description: 'The username or the address is taken.' })
  change(@Caller() caller: Actor, @Body() body: ProfileBody, @CallOrigin() origin: Origin): Promise<Account> {
    return this.profiles.change(caller, body, origin);
  }

  @Get('me/audit')
  @ApiOperation({ summary: "What happened to the caller's account, newest first" })
  @ApiPage(AccountEventView)
  trail(@Caller() caller: Actor, @Query() page: PageQuery): Promise<Page<AccountEventView>> {
    return this.audit.list(caller.userId, page);
  }

  @Get(':id')
  @ApiOperation({ summary: 'The public profile of a person' })
  @ApiOkResponse({ type: Profile })
  profile(@Param('id', IdPipe) id: string): Promise<Profile> {
    return this.users.profile(id);
  }

  @Get()
  @ApiOperation({ summary: 'People by the beginning of their username' })
  @ApiPage(Profile)
  search(@Query() { q, ...page }: PeopleQuery): Promise<Page<Profile>> {
    return this.users.search(q, page);
  }
}
