import { Body, Controller, Delete, HttpCode, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, Caller } from '../actor.js';
import { CallOrigin, type Origin } from '../origin.js';
import { PasswordBody } from '../passwords/passwords.dto.js';
import { SignedIn, WithoutSecondFactor } from '../stated-access.js';
import { CodeBody, RecoveryCodesAnswer, SecondFactorAnswer } from './second-factor.dto.js';
import { SecondFactorService } from './second-factor.service.js';

@ApiTags('auth')
@SignedIn()
@WithoutSecondFactor()
@Controller('api/v1/auth/second-factor')
export class SecondFactorController {
  constructor(private readonly secondFactor: SecondFactorService) {}

  @Post()
  @ApiOperation({ summary: 'Begin to set up a second factor (TOTP)' })
  @ApiCreatedResponse({ type: SecondFactorAnswer })
  begin(@Caller() caller: Actor, @Body() { currentPassword }: PasswordBody): Promise<SecondFactorAnswer> {
    return this.secondFactor.begin(caller, currentPassword);
  }

  @Post('confirm')
  @HttpCode(200)
  @ApiOperation({ summary: 'Put it in force with a first code; gives the recovery codes once' })
  @ApiOkResponse({ type: RecoveryCodesAnswer })
  async confirm(
    @Caller() caller: Actor,
    @Body() { code }: CodeBody,
    @CallOrigin() origin: Origin,
  ): Promise<RecoveryCodesAnswer> {
    return { recoveryCodes: await this.secondFactor.confirm(caller, code, origin) };
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ summary: 'Take the second factor off' })
  @ApiNoContentResponse()
  remove(
    @Caller() caller: Actor,
    @Body() { currentPassword }: PasswordBody,
    @CallOrigin() origin: Origin,
  ): Promise<void> {
    return this.secondFactor.remove(caller, currentPassword, origin);
  }
}
