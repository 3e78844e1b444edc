import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiTags,
} from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { AccessService } from '../../access/access.service.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { IsId } from '../../platform/http/is-id.js';
import { type Page, PageQuery } from '../../platform/http/paging.js';
import { ListedMemberView, MemberView } from './member.presenter.js';
import type { Role } from './membership.entity.js';
import { MembershipsService } from './memberships.service.js';
import { Optional } from '../../platform/http/optional.js';

const ROLES = ['ADMIN', 'MODERATOR', 'MEMBER'] as const;

class MemberBody {
  @ApiProperty({ format: 'uuid' })
  @IsId()
  userId: string;

  @ApiPropertyOptional({ enum: ROLES, default: 'MEMBER' })
  @Optional()
  @IsIn(ROLES)
  role: Role = 'MEMBER';
}

class RoleBody {
  @ApiProperty({ enum: ROLES })
  @IsIn(ROLES)
  role: Role;
}

@ApiTags('members')
@SignedIn()
@Controller('api/v1/servers/:id/members')
export class MembershipsController {
  constructor(
    private readonly access: AccessService,
    private readonly memberships: MembershipsService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The members, with their roles and whether they are here' })
  @ApiPage(ListedMemberView)
  async list(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Query() page: PageQuery,
  ): Promise<Page<ListedMemberView>> {
    return this.memberships.list(await this.access.enterServer(caller, id, 'see'), page);
  }

  @Post()
  @ApiOperation({ summary: 'Add somebody; for ADMIN and MODERATOR' })
  @ApiCreatedResponse({ type: MemberView })
  @ApiConflictResponse({ description: '`already_member`' })
  add(@Caller() caller: Actor, @Param('id', IdPipe) id: string, @Body() body: MemberBody): Promise<MemberView> {
    return this.memberships.add(caller, id, body.userId, body.role);
  }

  @Patch(':userId')
  @ApiOperation({ summary: 'Change a role; for ADMIN' })
  @ApiOkResponse({ type: MemberView })
  @ApiConflictResponse({ description: '`last_admin`' })
  changeRole(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('userId', IdPipe) userId: string,
    @Body() { role }: RoleBody,
  ): Promise<MemberView> {
    return this.memberships.changeRole(caller, id, userId, role);
  }

  @Delete(':userId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove somebody, or leave' })
  @ApiNoContentResponse()
  @ApiConflictResponse({ description: '`last_admin`' })
  async remove(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('userId', IdPipe) userId: string,
  ): Promise<void> {
    await this.memberships.remove(caller, id, userId);
  }
}
