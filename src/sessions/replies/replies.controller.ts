import { Controller, Delete, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import {
  ApiBadGatewayResponse,
  ApiConflictResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { AccessService } from '../../access/access.service.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { MessageView } from '../../messages/message.presenter.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { Problem } from '../../platform/http/problem.js';
import { Following } from './following.js';
import { RepliesService } from './replies.service.js';
import { presentReply, ReplyView } from './reply.presenter.js';
import { ReplyStream } from './reply-stream.js';

const STREAM = 'text/event-stream';
/** Stopping takes effect at once where the reply runs on this node, and within a second on another. */
const STOP_MS = 5_000;

@ApiTags('sessions')
@SignedIn()
@Controller('api/v1/sessions/:id/reply')
export class RepliesController {
  constructor(
    private readonly access: AccessService,
    private readonly replies: RepliesService,
    private readonly following: Following,
    private readonly stream: ReplyStream,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Ask the agent to answer, or to answer again',
    description:
      'Answers the last thing the person said; where it is answered already, the new answer takes the place of the ' +
      'earlier one, which stays as a revision. A reply that is under way is joined. With `Accept: text/event-stream` it ' +
      'is told as it comes (`delta` events, then `done` or `error`), else the finished message is the answer. The reply ' +
      'goes on when the caller leaves.',
  })
  @ApiProduces('application/json', STREAM)
  @ApiOkResponse({ type: MessageView })
  @ApiBadGatewayResponse({ description: '`reply_failed`: the reason stands in the session’s `reply.error`.' })
  @ApiConflictResponse({
    description: '`session_closed`, `no_agent`, `agent_disabled`, `nothing_to_answer` or `reply_stopped`.',
  })
  async ask(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const pass = await this.access.enter(caller, id, 'write', 'session');
    const signal = this.stream.leaving(caller, response);
    const replyId = await this.replies.ask(pass);
    if (wantsStream(request)) return this.stream.write(response, id, replyId, signal);
    const message = await this.following.untilEnd(id, replyId, signal);
    if (message) response.json(message);
    else if (!response.destroyed) throw Problem.unauthorized();
  }

  @Get()
  @ApiOperation({
    summary: 'How it stands with the reply, and what is said so far',
    description: 'With `Accept: text/event-stream`: the text so far, and then the rest as it comes.',
  })
  @ApiProduces('application/json', STREAM)
  @ApiOkResponse({ type: ReplyView })
  async get(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const reply = await this.replies.latest(await this.access.enter(caller, id, 'read', 'session'));
    if (!reply) throw Problem.notFound('A reply in this session');
    if (!wantsStream(request)) response.json(presentReply(reply));
    else await this.stream.write(response, id, reply.id, this.stream.leaving(caller, response));
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Stop the reply that runs, or else the one that waits',
    description:
      'What was said so far is kept as a message with `metadata.stopped`. Where nothing runs, nothing happens.',
  })
  @ApiNoContentResponse()
  async stop(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<void> {
    const replyId = await this.replies.stop(await this.access.enter(caller, id, 'write', 'session'));
    if (!replyId) return;
    await this.following.untilEnd(id, replyId, AbortSignal.timeout(STOP_MS)).catch(() => undefined);
  }
}

function wantsStream(request: Request): boolean {
  return request.accepts(['application/json', STREAM]) === STREAM;
}
