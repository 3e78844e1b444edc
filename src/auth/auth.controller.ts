import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiConflictResponse, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, Caller } from './actor.js';
import { ClaimBody, GuestBody, LoginBody, RegisterBody, SignedInAnswer } from './auth.dto.js';
import { AuthService } from './auth.service.js';
import { CallOrigin, type Origin } from './origin.js';
import { Public, SignedIn } from './stated-access.js';

@ApiTags('auth')
@Controller('api/v1/auth')
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  @Post('register')
  @Public()
  @ApiOperation({ summary: 'Create an account' })
  @ApiCreatedResponse({ type: SignedInAnswer })
  @ApiConflictResponse({ description: 'The username or the address is taken.' })
  register(@Body() body: RegisterBody, @CallOrigin() origin: Origin): Promise<SignedInAnswer> {
    return this.auth.register(body, origin);
  }

  @Post('login')
  @HttpCode(200)
  @Public()
  @ApiOperation({ summary: 'Sign in with a username or an address' })
  @ApiOkResponse({ type: SignedInAnswer })
  login(@Body() body: LoginBody, @CallOrigin() origin: Origin): Promise<SignedInAnswer> {
    return this.auth.login(body, origin);
  }

  @Post('guest')
  @Public()
  @ApiOperation({ summary: 'An anonymous account, to be claimed later' })
  @ApiCreatedResponse({ type: SignedInAnswer })
  guest(@Body() body: GuestBody, @CallOrigin() origin: Origin): Promise<SignedInAnswer> {
    return this.auth.guest(body, origin);
  }

  @Post('claim')
  @SignedIn()
  @ApiOperation({ summary: 'Turn a guest into a full account, keeping all it has' })
  @ApiCreatedResponse({ type: SignedInAnswer })
  @ApiConflictResponse({ description: 'The name or the address is taken, or the caller is no guest.' })
  claim(@Caller() caller: Actor, @Body() body: ClaimBody, @CallOrigin() origin: Origin): Promise<SignedInAnswer> {
    return this.auth.claim(caller, body, origin);
  }
}
