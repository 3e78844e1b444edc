import { Injectable } from '@nestjs/common';
import { Outbound } from '../platform/outbound/outbound.js';
import { CredentialsService } from '../users/credentials/credentials.service.js';
import { AgentsService } from './agents.service.js';
import { type AgentQuestion, AnswerFailure, type AnswerPart } from './answers/answer.js';
import { echo } from './answers/echo.js';
import { askOpenAi } from './answers/openai.js';
import { askWebhook } from './answers/webhook.js';

/** Lets whatever stands behind an agent answer. app.module plugs it into the sessions' `Answerer`. */
@Injectable()
export class AgentAnswerer {
  constructor(
    private readonly agents: AgentsService,
    private readonly credentials: CredentialsService,
    private readonly outbound: Outbound,
  ) {}

  /** Gives the answer piece by piece. Throws AnswerFailure, then or on the way. */
  async answer(question: AgentQuestion, signal: AbortSignal): Promise<AsyncIterable<AnswerPart>> {
    const agent = await this.agents.findEnabled(question.agentId);
    if (!agent) throw new AnswerFailure('agent_disabled', 'The agent was switched off or deleted meanwhile.', false);
    const { kind, url, model } = agent;
    const key = this.agents.keyOf(agent);
    if (kind === 'echo') return echo(question.history.at(-1)?.content ?? '', signal);
    if (kind === 'webhook' && url !== null) return askWebhook(this.outbound, { ...agent, url }, key, question, signal);
    if (kind === 'openai' && model !== null) {
      const apiKey = key ?? (await this.credentials.reveal(question.userId, agent.provider));
      if (apiKey === undefined) throw keyMissing(agent.provider);
      return askOpenAi(this.outbound, { ...agent, model }, apiKey, question, signal);
    }
    throw new Error(`the ${kind} agent ${agent.id} lacks what it takes to answer`);
  }
}

function keyMissing(provider: string): AnswerFailure {
  const message = `Neither the agent nor the caller has a key for ${provider}.`;
  return new AnswerFailure('no_credential', message, false);
}
