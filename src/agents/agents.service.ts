import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, Repository } from 'typeorm';
import { type Page, pageOf, type PageQuery, readCursor } from '../platform/http/paging.js';
import { Problem } from '../platform/http/problem.js';
import { Agent } from './agent.entity.js';
import { type AgentView, presentAgent } from './agent.presenter.js';

@Injectable()
export class AgentsService {
  constructor(@InjectRepository(Agent) private readonly agents: Repository<Agent>) {}

  async list({ limit, cursor }: PageQuery): Promise<Page<AgentView>> {
    const [after] = readCursor(cursor, ['string']) ?? [''];
    const rows = await this.agents.find({
      where: { slug: MoreThan(after) },
      order: { slug: 'ASC' },
      take: limit + 1,
    });
    return pageOf(rows, limit, ({ slug }) => [slug], presentAgent);
  }

  /** Throws 404. */
  async get(id: string): Promise<Agent> {
    const agent = await this.agents.findOneBy({ id });
    if (!agent) throw Problem.notFound('This agent');
    return agent;
  }
}
