import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Agent, type AgentKind } from './agent.entity.js';

/** Finds agents for callers that know no ids. A deleted one is not found. */
@Injectable()
export class AgentFinder {
  constructor(@InjectRepository(Agent) private readonly agents: Repository<Agent>) {}

  bySlug(slug: string): Promise<Agent | null> {
    return this.agents.createQueryBuilder('a').where('a.slug = :slug AND a.deletedAt IS NULL', { slug }).getOne();
  }

  /** The first by slug that is switched on, of this kind where there is one, else of any. */
  firstEnabled(kind: AgentKind): Promise<Agent | null> {
    return this.agents
      .createQueryBuilder('a')
      .where('a.enabled AND a.deletedAt IS NULL')
      .orderBy('CASE WHEN a.kind = :kind THEN 0 ELSE 1 END')
      .addOrderBy('a.slug')
      .setParameters({ kind })
      .getOne();
  }
}
