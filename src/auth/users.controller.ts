import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { ApiPage } from '../platform/http/api-page.js';
import { IdPipe } from '../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../platform/http/paging.js';
import { Problem } from '../platform/http/problem.js';
import { Account, presentAccount, Profile } from '../users/profile.presenter.js';
import { UsersService } from '../users/users.service.js';
import { type Actor, Caller } from './actor.js';
import { SignedIn } from './stated-access.js';

class PeopleQuery extends PageQuery {
  @ApiProperty({ description: 'How the username starts.', example: 'ad' })
  @IsString()
  @MaxLength(32)
  q: string;
}

/** Stands in auth/ and not in users/, since it asks who is calling: imports point down only. */
@ApiTags('users')
@SignedIn()
@Controller('api/v1/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get('me')
  @ApiOperation({ summary: 'The account of the caller' })
  @ApiOkResponse({ type: Account })
  async me(@Caller() caller: Actor): Promise<Account> {
    const user = await this.users.find(caller.userId);
    if (!user) throw Problem.unauthorized();
    return presentAccount(user);
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
