import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiConflictResponse, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { LoginBody, RegisterBody, SignedInAnswer } from './auth.dto.js';
import { AuthService, type Origin } from './auth.service.js';
import { Public } from './stated-access.js';

@ApiTags('auth')
@Controller('api/v1/auth')
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  @Post('register')
  @Public()
  @ApiOperation({ summary: 'Create an account' })
  @ApiCreatedResponse({ type: SignedInAnswer })
  @ApiConflictResponse({ description: 'The username or the address is taken.' })
  register(@Body() body: RegisterBody, @Req() request: Request): Promise<SignedInAnswer> {
    return this.auth.register(body, originOf(request));
  }

  @Post('login')
  @HttpCode(200)
  @Public()
  @ApiOperation({ summary: 'Sign in with a username or an address' })
  @ApiOkResponse({ type: SignedInAnswer })
  login(@Body() body: LoginBody, @Req() request: Request): Promise<SignedInAnswer> {
    return this.auth.login(body, originOf(request));
  }
}

function originOf(request: Request): Origin {
  return { device: request.get('user-agent')?.slice(0, 300) ?? null, address: request.ip ?? null };
}
