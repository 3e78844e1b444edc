import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import {
  ApiBadGatewayResponse,
  ApiConflictResponse,
  ApiConsumes,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { AccessService } from '../../access/access.service.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedInAnswer } from '../../auth/auth.dto.js';
import { AuthService } from '../../auth/auth.service.js';
import { LoginsService } from '../../auth/logins/logins.service.js';
import { CallOrigin, type Origin } from '../../auth/origin.js';
import { Public, SignedIn, WithoutSecondFactor } from '../../auth/stated-access.js';
import type { SessionView } from '../../sessions/session.presenter.js';
import { SessionsService } from '../../sessions/sessions.service.js';
import { OldChatAnswer, OldChatBody, OldLoginBody, OldRegisterBody } from './conversations.dto.js';
import { OldAnswers } from './old-answers.js';
import { OldIds } from './old-ids.js';

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

/** One message in, the agent's answer out. */
@ApiTags('legacy: conversations')
@SignedIn()
@Controller('chat')
export class OldConversationsController {
  constructor(
    private readonly access: AccessService,
    private readonly sessions: SessionsService,
    private readonly answers: OldAnswers,
    private readonly oldIds: OldIds,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({ deprecated: true, summary: 'Say something in a conversation; the reply is the answer' })
  @ApiOkResponse({ type: OldChatAnswer })
  @ApiBadGatewayResponse({ description: 'The agent does not answer; the message is kept.' })
  async chat(@Caller() caller: Actor, @Body() { message, conversation_id }: OldChatBody): Promise<OldChatAnswer> {
    const session = await this.conversationOf(caller, conversation_id);
    const writer = await this.access.enter(caller, session.id, 'write', 'session');
    const { reply } = await this.answers.ask(writer, message);
    return {
      response: reply.content ?? '',
      conversation_id: conversation_id ?? session.id,
      tokens_used: reply.tokensUsed ?? 0,
    };
  }

  private async conversationOf(caller: Actor, given: string | undefined): Promise<SessionView> {
    if (given === undefined) {
      const agentId = (await this.answers.agent('openai')).id;
      return (await this.sessions.create(caller, { type: 'agent', agentId })).session;
    }
    const pass = await this.access.enter(caller, await this.oldIds.session(caller, given), 'own', 'session');
    return this.answers.sessionWithAgent(pass, 'openai');
  }
}
