import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiTags,
} from '@nestjs/swagger';
import { IsOptional, IsString, IsUrl, Length, MaxLength } from 'class-validator';
import { AccessService } from '../../access/access.service.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../../platform/http/paging.js';
import { MyServerView, WholeServerView } from './server.presenter.js';
import { ServersService } from './servers.service.js';
import { Optional } from '../../platform/http/optional.js';
import { Trimmed } from '../../platform/http/trimmed.js';

class ServerBody {
  @ApiProperty({ example: 'The Analytical Society', minLength: 1, maxLength: 100 })
  @Trimmed()
  @IsString()
  @Length(1, 100)
  name: string;

  @ApiPropertyOptional({ example: 'https://example.org/icon.png' })
  @Optional()
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false })
  @MaxLength(2048)
  iconUrl?: string;
}

class ServerPatch {
  @ApiPropertyOptional({ minLength: 1, maxLength: 100 })
  @Optional()
  @Trimmed()
  @IsString()
  @Length(1, 100)
  name?: string;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'Null takes it away.' })
  @IsOptional()
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false })
  @MaxLength(2048)
  iconUrl?: string | null;
}

@ApiTags('servers')
@SignedIn()
@Controller('api/v1/servers')
export class ServersController {
  constructor(
    private readonly access: AccessService,
    private readonly servers: ServersService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Your servers' })
  @ApiPage(MyServerView)
  list(@Caller() caller: Actor, @Query() page: PageQuery): Promise<Page<MyServerView>> {
    return this.servers.list(caller, page);
  }

  @Post()
  @ApiOperation({ summary: 'Create a server; you become its ADMIN' })
  @ApiCreatedResponse({ type: WholeServerView })
  create(@Caller() caller: Actor, @Body() { name, iconUrl }: ServerBody): Promise<WholeServerView> {
    return this.servers.create(caller, name, iconUrl);
  }

  @Get(':id')
  @ApiOperation({ summary: 'A server with its categories, its channels and your role' })
  @ApiOkResponse({ type: WholeServerView })
  async get(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<WholeServerView> {
    return this.servers.read(await this.access.enterServer(caller, id, 'see'));
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Rename a server or change its icon; for ADMIN' })
  @ApiOkResponse({ type: MyServerView })
  change(@Caller() caller: Actor, @Param('id', IdPipe) id: string, @Body() body: ServerPatch): Promise<MyServerView> {
    return this.servers.change(caller, id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a server with everything in it; for ADMIN' })
  @ApiNoContentResponse()
  async delete(@Caller() caller: Actor, @Param('id', IdPipe) id: string): Promise<void> {
    await this.servers.delete(caller, id);
  }
}
