import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from './agent.entity.js';
import { AgentsService } from './agents.service.js';

/** What an agent is asked. The last line of `history` is the one to answer. */
export interface AgentQuestion {
  agentId: string;
  sessionId: string;
  replyId: string;
  userId: string;
  username: string;
  messageId: string;
  history: { role: 'user' | 'assistant'; content: string }[];
}

type Part = { text: string } | { tokensUsed: number };

/** Lets whatever stands behind an agent answer. app.module plugs it into the sessions' `Answerer`. */
@Injectable()
export class AgentAnswerer {
  constructor(private readonly agents: AgentsService) {}

  async *answer({ agentId, history }: AgentQuestion, signal: AbortSignal): AsyncGenerator<Part> {
    const agent = await this.agents.get(agentId);
    const said = history.at(-1)?.content ?? '';
    yield* this.speak(agent, said, signal);
  }

  private speak(agent: Agent, said: string, signal: AbortSignal): AsyncIterable<Part> {
    if (agent.kind !== 'echo') throw new Error(`no ${agent.kind} agent can answer yet`);
    return echo(said, signal);
  }
}

const PACE = /^\/slow (\d{1,4})\s+/;

/** Says what was said, word by word. `/slow 200 ...` takes 200 ms for each word: for seeing what a stream looks like. */
async function* echo(said: string, signal: AbortSignal): AsyncGenerator<Part> {
  const pace = Number(PACE.exec(said)?.[1] ?? 0);
  for (const word of said.replace(PACE, '').match(/\s*\S+\s*/g) ?? []) {
    if (pace > 0) await sleep(pace, undefined, { signal });
    yield { text: word };
  }
  yield { tokensUsed: 0 };
}
