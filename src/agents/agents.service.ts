import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { type Tx, UnitOfWork } from '../platform/database/unit-of-work.js';
import { unlessBroken } from '../platform/http/database-problem.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../platform/http/paging.js';
import { Problem } from '../platform/http/problem.js';
import { Outbound } from '../platform/outbound/outbound.js';
import { SecretBox } from '../platform/secrets/secret-box.js';
import { Agent } from './agent.entity.js';
import { type AdministeredAgent, type AgentView, presentAdministered } from './agent.presenter.js';
import type { AgentBody, AgentPatch } from './agents.dto.js';

type Change = Partial<Omit<Agent, 'id' | 'createdAt' | 'updatedAt'>>;

@Injectable()
export class AgentsService {
  constructor(
    @InjectRepository(Agent) private readonly agents: Repository<Agent>,
    private readonly work: UnitOfWork,
    private readonly outbound: Outbound,
    private readonly box: SecretBox,
  ) {}

  /** By slug; each shown as `present` does. */
  async list<T extends AgentView>({ limit, cursor }: PageQuery, present: (agent: Agent) => T): Promise<Page<T>> {
    const [after] = readCursor(cursor, ['string']) ?? [''];
    const rows = await this.agents
      .createQueryBuilder('a')
      .where('a.deletedAt IS NULL AND a.slug > :after', { after })
      .orderBy('a.slug')
      .limit(limit + 1)
      .getMany();
    return pageOf(rows, limit, ({ slug }) => [slug], present);
  }

  /** Throws 404, also for a deleted one. */
  async get(id: string): Promise<Agent> {
    const agent = await this.agents
      .createQueryBuilder('a')
      .where('a.id = :id AND a.deletedAt IS NULL', { id })
      .getOne();
    if (!agent) throw Problem.notFound('This agent');
    return agent;
  }

  /** Nothing where it is switched off or gone. */
  findEnabled(id: string): Promise<Agent | null> {
    return this.agents.findOneBy({ id, enabled: true });
  }

  /** Its own key, opened; nothing where it has none. */
  keyOf({ id, keyId, sealed }: Agent): string | undefined {
    return keyId === null || sealed === null ? undefined : this.box.open({ keyId, sealed }, contextOf(id));
  }

  /** Throws 400 naming the field, 409 where the slug is taken. */
  async create(body: AgentBody): Promise<AdministeredAgent> {
    const id = uuidv7();
    return this.work.run(async (tx) => {
      const agent = tx.manager.create(Agent, { enabled: true, ...this.changeOf(id, body), id });
      mustBeComplete(agent);
      await naming(tx.manager.insert(Agent, agent));
      return presentAdministered(await tx.manager.findOneByOrFail(Agent, { id }));
    });
  }

  /** What is not named stays. Throws 404, and as `create` does. */
  async change(id: string, patch: AgentPatch): Promise<AdministeredAgent> {
    return this.work.run(async (tx) => {
      const before = await lock(tx, id);
      const change = { ...forgottenKey(before, patch), ...this.changeOf(id, patch) };
      mustBeComplete({ ...before, ...change });
      await naming(tx.manager.update(Agent, { id }, { ...change, updatedAt: () => 'now()' }));
      return presentAdministered(await tx.manager.findOneByOrFail(Agent, { id }));
    });
  }

  /** What it said stays, under its name; what it took to answer goes. Throws 404. */
  async delete(id: string): Promise<void> {
    await this.work.run(async (tx) => {
      await lock(tx, id);
      await tx.query(
        `UPDATE agents SET deleted_at = now(), enabled = false, url = NULL, system_prompt = NULL, model = NULL,
           key_id = NULL, sealed = NULL
         WHERE id = $1`,
        [id],
      );
    });
  }

  private changeOf(id: string, { apiKey, ...fields }: AgentPatch): Change {
    const objection = fields.url ? this.outbound.objection(fields.url) : undefined;
    if (objection) throw Problem.invalid('url', objection);
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    if (apiKey === undefined) return given;
    return { ...given, ...(apiKey === null ? NO_KEY : this.box.seal(apiKey, contextOf(id))) };
  }
}

const NO_KEY = { keyId: null, sealed: null };

export function contextOf(agentId: string): string {
  return `agent:${agentId}`;
}

/** A key is not sent anywhere but where it was given for: with another origin it must be given again. */
function forgottenKey(before: Agent, { url }: AgentPatch): Change {
  return url === undefined || originOf(url) === originOf(before.url) ? {} : NO_KEY;
}

function originOf(url: string | null): string | null {
  return url !== null && URL.canParse(url) ? new URL(url).origin : null;
}

/** One that is switched off may wait for what it lacks. */
function mustBeComplete({ enabled, kind, url, model }: Pick<Agent, 'enabled' | 'kind' | 'url' | 'model'>): void {
  if (!enabled) return;
  if (kind === 'webhook' && !url) throw Problem.invalid('url', 'is needed for a webhook');
  if (kind === 'openai' && !model) throw Problem.invalid('model', 'is needed for an openai agent');
}

async function lock(tx: Tx, id: string): Promise<Agent> {
  const agent = await tx.manager.findOne(Agent, { where: { id }, lock: { mode: 'pessimistic_write' } });
  if (!agent || agent.deletedAt) throw Problem.notFound('This agent');
  return agent;
}

function naming<T>(writing: Promise<T>): Promise<T> {
  const taken = () => new Problem(409, 'conflict', 'This slug is taken.', [{ path: 'slug', message: 'is taken' }]);
  return unlessBroken(writing, { agents_slug_key: taken });
}
