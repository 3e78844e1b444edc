import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { IsString, Length, Matches } from 'class-validator';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { ApiPage } from '../platform/http/api-page.js';
import { IdPipe } from '../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../platform/http/paging.js';
import { CredentialsService, CredentialView } from '../users/credentials/credentials.service.js';
import { type Actor, Caller } from './actor.js';
import { AccountAudit } from './audit/account-audit.service.js';
import { CallOrigin, type Origin } from './origin.js';
import { SignedIn } from './stated-access.js';

class CredentialBody {
  @ApiProperty({ example: 'openai', maxLength: 40 })
  @IsString()
  @Matches(/^[a-z0-9][a-z0-9._-]{0,39}$/, { message: 'may hold lower-case letters, digits, . _ and - only' })
  provider: string;

  @ApiProperty({ example: 'work', maxLength: 80 })
  @IsString()
  @Length(1, 80)
  label: string;

  @ApiProperty({ description: 'Never returned.', writeOnly: true })
  @IsString()
  @Length(1, 4096)
  key: string;
}

/** Stands in auth/ for the reason that UsersController does. */
@ApiTags('users')
@SignedIn()
@Controller('api/v1/users/me/credentials')
export class CredentialsController {
  constructor(
    private readonly work: UnitOfWork,
    private readonly credentials: CredentialsService,
    private readonly audit: AccountAudit,
  ) {}

  @Get()
  @ApiOperation({ summary: "The caller's keys at providers, without the keys" })
  @ApiPage(CredentialView)
  list(@Caller() { userId }: Actor, @Query() page: PageQuery): Promise<Page<CredentialView>> {
    return this.credentials.list(userId, page);
  }

  @Post()
  @ApiOperation({ summary: 'Keep a key at a provider, encrypted' })
  @ApiCreatedResponse({ type: CredentialView })
  add(
    @Caller() { userId }: Actor,
    @Body() body: CredentialBody,
    @CallOrigin() origin: Origin,
  ): Promise<CredentialView> {
    return this.work.run(async (tx) => {
      const added = await this.credentials.add(tx, userId, body);
      await this.audit.note(tx, { userId, kind: 'credential_added', origin });
      return added;
    });
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Forget a key' })
  @ApiNoContentResponse()
  async remove(
    @Caller() { userId }: Actor,
    @Param('id', IdPipe) id: string,
    @CallOrigin() origin: Origin,
  ): Promise<void> {
    await this.work.run(async (tx) => {
      await this.audit.note(tx, { userId, kind: 'credential_removed', origin });
      await this.credentials.remove(tx, userId, id);
    });
  }
}
