import { Module } from '@nestjs/common';
import { SearchController } from './search.controller.js';
import { SearchLimit } from './search-limit.js';
import { SearchService } from './search.service.js';

@Module({ controllers: [SearchController], providers: [SearchLimit, SearchService] })
export class SearchModule {}
