import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiConsumes,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedInAnswer } from '../../auth/auth.dto.js';
import { AuthService } from '../../auth/auth.service.js';
import { LoginsService } from '../../auth/logins/logins.service.js';
import { CallOrigin, type Origin } from '../../auth/origin.js';
import { Public, SignedIn, WithoutSecondFactor } from '../../auth/stated-access.js';
import { OldLoginBody, OldRegisterBody } from './conversations.dto.js';

/** Accounts as the old conversations app had them, from JSON or from a form. */
@ApiTags('legacy: conversations')
@ApiConsumes('application/json', 'application/x-www-form-urlencoded')
@SignedIn()
@Controller()
export class OldAccountsController {
  constructor(
    private readonly auth: AuthService,
    private readonly logins: LoginsService,
  ) {}

  @Post('register')
  @Public()
  @ApiOperation({ deprecated: true, summary: 'Create an account' })
  @ApiCreatedResponse({ type: SignedInAnswer })
  @ApiConflictResponse({ description: 'The username or the address is taken.' })
  register(@Body() body: OldRegisterBody, @CallOrigin() origin: Origin): Promise<SignedInAnswer> {
    return this.auth.register(body, origin);
  }

  @Post('login')
  @HttpCode(200)
  @Public()
  @ApiOperation({ deprecated: true, summary: 'Sign in' })
  @ApiOkResponse({ type: SignedInAnswer })
  login(@Body() body: OldLoginBody, @CallOrigin() origin: Origin): Promise<SignedInAnswer> {
    return this.auth.login(body, origin);
  }

  @Post('logout')
  @HttpCode(204)
  @WithoutSecondFactor()
  @ApiOperation({ deprecated: true, summary: 'End this login' })
  @ApiNoContentResponse()
  logout(@Caller() caller: Actor, @CallOrigin() origin: Origin): Promise<void> {
    return this.logins.endOne(caller, caller.loginId, origin);
  }
}
