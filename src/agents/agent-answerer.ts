import { Injectable } from '@nestjs/common';
import type { Agent } from './agent.entity.js';
import { AgentsService } from './agents.service.js';

/** What an agent is asked. The last line of `history` is the one to answer. */
export interface AgentQuestion {
  agentId: string;
  sessionId: string;
  history: { role: 'user' | 'assistant'; content: string }[];
}

/** Lets whatever stands behind an agent answer. app.module plugs it into the sessions' `Answerer`. */
@Injectable()
export class AgentAnswerer {
  constructor(private readonly agents: AgentsService) {}

  async answer({ agentId, history }: AgentQuestion): Promise<{ content: string; tokensUsed: number }> {
    const agent = await this.agents.get(agentId);
    const said = history.at(-1)?.content ?? '';
    return this.speak(agent, said);
  }

  private speak(agent: Agent, said: string): { content: string; tokensUsed: number } {
    if (agent.kind !== 'echo') throw new Error(`no ${agent.kind} agent can answer yet`);
    return { content: said, tokensUsed: 0 };
  }
}
