import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage } from '../../platform/http/api-page.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../../platform/http/paging.js';
import { type Actor, Caller } from '../actor.js';
import { TokensAnswer } from '../auth.dto.js';
import { CallOrigin, type Origin } from '../origin.js';
import { Public, SignedIn, WithoutSecondFactor } from '../stated-access.js';
import { LoginView, RefreshBody } from './logins.dto.js';
import { LoginsService } from './logins.service.js';

@ApiTags('auth')
@SignedIn()
@WithoutSecondFactor()
@Controller('api/v1/auth')
export class LoginsController {
  constructor(private readonly logins: LoginsService) {}

  @Post('refresh')
  @HttpCode(200)
  @Public()
  @ApiOperation({ summary: 'A new pair of tokens; using a refresh token twice ends its login' })
  @ApiOkResponse({ type: TokensAnswer })
  refresh(@Body() { refreshToken }: RefreshBody, @CallOrigin() origin: Origin): Promise<TokensAnswer> {
    return this.logins.refresh(refreshToken, origin);
  }

  @Post('logout')
  @HttpCode(204)
  @ApiOperation({ summary: 'End this login: its tokens and its open sockets stop working at once' })
  @ApiNoContentResponse()
  logout(@Caller() caller: Actor, @CallOrigin() origin: Origin): Promise<void> {
    return this.logins.endOne(caller, caller.loginId, origin);
  }

  @Get('logins')
  @ApiOperation({ summary: "The caller's logins, newest first" })
  @ApiPage(LoginView)
  list(@Caller() caller: Actor, @Query() page: PageQuery): Promise<Page<LoginView>> {
    return this.logins.list(caller, page);
  }

  @Delete('logins/:id')
  @HttpCode(204)
  @ApiOperation({ summary: "End one of the caller's logins" })
  @ApiNoContentResponse()
  end(@Caller() caller: Actor, @Param('id', IdPipe) id: string, @CallOrigin() origin: Origin): Promise<void> {
    return this.logins.endOne(caller, id, origin);
  }
}
