import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, Caller } from '../actor.js';
import { CallOrigin, type Origin } from '../origin.js';
import { Public, SignedIn } from '../stated-access.js';
import { PasswordChangeService } from './password-change.service.js';
import { ChangePasswordBody, ForgotBody, ResetBody } from './passwords.dto.js';

@ApiTags('auth')
@Controller('api/v1/auth/password')
export class PasswordsController {
  constructor(private readonly passwords: PasswordChangeService) {}

  @Post()
  @SignedIn()
  @HttpCode(204)
  @ApiOperation({ summary: 'Change the password; all other logins end' })
  @ApiNoContentResponse()
  change(@Caller() caller: Actor, @Body() body: ChangePasswordBody, @CallOrigin() origin: Origin): Promise<void> {
    return this.passwords.change(caller, body.currentPassword, body.newPassword, origin);
  }

  @Post('forgot')
  @Public()
  @HttpCode(202)
  @ApiOperation({ summary: 'Mail a token for a new password; answers the same whether the address is known or not' })
  @ApiAcceptedResponse()
  async forgot(@Body() { email }: ForgotBody, @CallOrigin() origin: Origin): Promise<void> {
    await this.passwords.forgot(email, origin);
  }

  @Post('reset')
  @Public()
  @HttpCode(204)
  @ApiOperation({ summary: 'Set a new password with a mailed token; every login ends' })
  @ApiNoContentResponse()
  reset(@Body() { token, newPassword }: ResetBody, @CallOrigin() origin: Origin): Promise<void> {
    return this.passwords.reset(token, newPassword, origin);
  }
}
