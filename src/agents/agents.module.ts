import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AgentAnswerer } from './agent-answerer.js';
import { UsersModule } from '../users/users.module.js';
import { AgentFinder } from './agent-finder.js';
import { Agent } from './agent.entity.js';
import { AgentsController } from './agents.controller.js';
import { AgentsService } from './agents.service.js';
import { UsageController } from './usage/usage.controller.js';
import { UsageService } from './usage/usage.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Agent]), UsersModule],
  controllers: [AgentsController, UsageController],
  providers: [AgentsService, UsageService, AgentAnswerer, AgentFinder],
  exports: [AgentsService, AgentAnswerer, AgentFinder],
})
export class AgentsModule {}
