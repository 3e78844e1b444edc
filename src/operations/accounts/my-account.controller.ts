import { Controller, Delete, Get, HttpCode, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Readable } from 'node:stream';
import { type Actor, Caller } from '../../auth/actor.js';
import { AccountAudit } from '../../auth/audit/account-audit.service.js';
import { CallOrigin, type Origin } from '../../auth/origin.js';
import { SignedIn } from '../../auth/stated-access.js';
import { sendStream } from '../../platform/http/send-stream.js';
import { Limits } from '../../platform/limits/limits.js';
import { AccountDeletion } from './account-deletion.service.js';
import { AccountExport } from './account-export.service.js';

/** The whole of an account: taking it along, and taking it away. */
@ApiTags('users')
@SignedIn()
@Controller('api/v1/users/me')
export class MyAccountController {
  constructor(
    private readonly exporting: AccountExport,
    private readonly deletion: AccountDeletion,
    private readonly audit: AccountAudit,
    private readonly limits: Limits,
  ) {}

  @Get('export')
  @ApiOperation({ summary: 'Everything the account owns, as JSON Lines' })
  @ApiProduces('application/jsonl')
  @ApiOkResponse({ description: 'One JSON object a line, its `type` saying what it is.', type: String })
  async export(@Caller() { userId }: Actor, @CallOrigin() origin: Origin, @Res() response: Response): Promise<void> {
    await this.limits.spend('export by account', userId);
    await this.audit.noteAlone({ userId, kind: 'exported', origin });
    const lines = this.exporting.lines(userId);
    // The first line is read before anything is answered, so that a refusal is still one.
    const first = await lines.next();
    response.setHeader('Content-Type', 'application/jsonl; charset=utf-8');
    response.setHeader('Content-Disposition', 'attachment; filename="parley-export.jsonl"');
    if (!first.done) response.write(first.value);
    await sendStream(Readable.from(lines, { highWaterMark: 1 }), response);
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete the account; what it said in shared places stays without its name' })
  @ApiNoContentResponse()
  async delete(@Caller() caller: Actor): Promise<void> {
    await this.deletion.delete(caller);
  }
}
