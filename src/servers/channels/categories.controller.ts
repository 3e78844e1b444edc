import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { AccessService } from '../../access/access.service.js';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { IdPipe } from '../../platform/http/id.pipe.js';
import { type Page, PageQuery } from '../../platform/http/paging.js';
import { CategoriesService } from './categories.service.js';
import { CategoryView } from './category.presenter.js';
import { CategoryBody, CategoryPatch } from './channels.dto.js';

@ApiTags('channels')
@SignedIn()
@Controller('api/v1/servers/:id/categories')
export class CategoriesController {
  constructor(
    private readonly access: AccessService,
    private readonly categories: CategoriesService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The categories of a server in their order' })
  @ApiPage(CategoryView)
  async list(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Query() page: PageQuery,
  ): Promise<Page<CategoryView>> {
    const pass = await this.access.enterServer(caller, id, 'see');
    return this.categories.page(pass.serverId, page);
  }

  @Post()
  @ApiOperation({ summary: 'Add a category; for ADMIN' })
  @ApiCreatedResponse({ type: CategoryView })
  @ApiConflictResponse({ description: '`name_taken`' })
  create(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Body() { name, position }: CategoryBody,
  ): Promise<CategoryView> {
    return this.categories.create(caller, id, name, position);
  }

  @Patch(':categoryId')
  @ApiOperation({ summary: 'Rename or move a category; for ADMIN' })
  @ApiOkResponse({ type: CategoryView })
  @ApiConflictResponse({ description: '`name_taken`' })
  change(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('categoryId', IdPipe) categoryId: string,
    @Body() body: CategoryPatch,
  ): Promise<CategoryView> {
    return this.categories.change(caller, id, categoryId, body);
  }

  @Delete(':categoryId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a category; its channels stay; for ADMIN' })
  @ApiNoContentResponse()
  async delete(
    @Caller() caller: Actor,
    @Param('id', IdPipe) id: string,
    @Param('categoryId', IdPipe) categoryId: string,
  ): Promise<void> {
    await this.categories.delete(caller, id, categoryId);
  }
}
