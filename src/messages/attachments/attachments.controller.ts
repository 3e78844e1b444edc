import { Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiConflictResponse,
  ApiConsumes,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiPayloadTooLargeResponse,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { type Actor, Caller } from '../../auth/actor.js';
import { Actors } from '../../auth/actors.js';
import { Public, SignedIn } from '../../auth/stated-access.js';
import { FileStore, thumbnailOf } from '../../platform/files/file-store.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { Problem } from '../../platform/http/problem.js';
import { Limits } from '../../platform/limits/limits.js';
import { AttachmentView } from './attachment.presenter.js';
import type { AttachmentData } from '../message.entity.js';
import { AttachmentLink, LinkedQuery } from './attachments.dto.js';
import { AttachmentsService } from './attachments.service.js';
import { original, type Served, serveFile } from './serve-file.js';
import { SignedLinks } from './signed-links.js';

@ApiTags('attachments')
@SignedIn()
@Controller('api/v1/attachments')
export class AttachmentsController {
  constructor(
    private readonly attachments: AttachmentsService,
    private readonly files: FileStore,
    private readonly links: SignedLinks,
    private readonly actors: Actors,
    private readonly limits: Limits,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Upload a file; send it with a message within a day' })
  @ApiConsumes('multipart/form-data')
  @ApiBody({
    schema: { type: 'object', required: ['file'], properties: { file: { type: 'string', format: 'binary' } } },
  })
  @ApiCreatedResponse({ type: AttachmentView })
  @ApiConflictResponse({ description: '`too_many_files`: 50 wait to be sent already.' })
  @ApiPayloadTooLargeResponse({ description: 'Over MAX_UPLOAD_MB.' })
  async upload(@Caller() caller: Actor, @Req() request: Request): Promise<AttachmentView> {
    await this.limits.spend('upload by account', caller.userId);
    return this.attachments.upload(caller, request);
  }

  @Get(':id')
  @ApiOperation({ summary: 'The file, for whoever may read its conversation' })
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({ description: 'Also in part, with `Range`.', schema: { type: 'string', format: 'binary' } })
  async read(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await serveFile(this.files, original(await this.attachments.enter(caller, id)), request, response);
  }

  @Get(':id/thumbnail')
  @ApiOperation({ summary: 'A small picture of a picture' })
  @ApiProduces('image/webp')
  @ApiOkResponse({ schema: { type: 'string', format: 'binary' } })
  async thumbnail(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await serveFile(this.files, smaller(await this.attachments.enter(caller, id)), request, response);
  }

  @Post(':id/link')
  @HttpCode(200)
  @ApiOperation({ summary: 'A link that works without a token, for five minutes and as long as you may read it' })
  @ApiOkResponse({ type: AttachmentLink })
  async link(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<AttachmentLink> {
    const { thumbnail } = await this.attachments.enter(caller, id);
    const { token, expiresAt } = this.links.sign(id, caller.loginId);
    const url = `/api/v1/attachments/${id}/linked?token=${token}`;
    return { url, thumbnailUrl: thumbnail ? `${url}&size=thumbnail` : null, expiresAt: expiresAt.toISOString() };
  }

  @Get(':id/linked')
  @Public()
  @ApiOperation({ summary: 'What such a link leads to' })
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({ schema: { type: 'string', format: 'binary' } })
  async linked(
    @Param('id', IdPipe) id: string,
    @Query() { token, size }: LinkedQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const loginId = this.links.open(id, token);
    const actor = loginId && (await this.actors.find(loginId));
    if (!actor || actor.lacksSecondFactor) throw Problem.notFound('This file');
    const data = await this.attachments.enter(actor, id);
    // A page on another address shows it: the link itself is the permission.
    response.set('Cross-Origin-Resource-Policy', 'cross-origin');
    await serveFile(this.files, size === 'thumbnail' ? smaller(data) : original(data), request, response);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Take back a file that you have not sent' })
  @ApiNoContentResponse()
  async remove(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<void> {
    await this.attachments.remove(caller, id);
  }
}

function smaller({ id, name, thumbnail }: AttachmentData): Served {
  if (!thumbnail) throw Problem.notFound('This thumbnail');
  return { file: thumbnailOf(id), type: 'image/webp', kind: 'inline', name: `${name}.webp` };
}
