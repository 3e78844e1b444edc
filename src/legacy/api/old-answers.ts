import { Injectable } from '@nestjs/common';
import type { Moderator, Writer } from '../../access/pass.js';
import type { Agent, AgentKind } from '../../agents/agent.entity.js';
import { AgentFinder } from '../../agents/agent-finder.js';
import type { MessageView } from '../../messages/message.presenter.js';
import { MessagesService } from '../../messages/messages.service.js';
import { Config } from '../../platform/config/config.js';
import { Problem } from '../../platform/http/problem.js';
import { Following } from '../../sessions/replies/following.js';
import type { SessionView } from '../../sessions/session.presenter.js';
import { SessionsService } from '../../sessions/sessions.service.js';

const LIMIT_MS = 120_000;

/** The old systems answered a message with the agent's reply: sends, and waits for it. */
@Injectable()
export class OldAnswers {
  constructor(
    private readonly config: Config,
    private readonly agents: AgentFinder,
    private readonly sessions: SessionsService,
    private readonly messages: MessagesService,
    private readonly following: Following,
  ) {}

  /** Who answers clients that name nobody: LEGACY_AGENT, or the first that is switched on. Throws 503. */
  async agent(kind: AgentKind): Promise<Agent> {
    const { legacyAgent } = this.config;
    const agent = legacyAgent ? await this.agents.bySlug(legacyAgent) : await this.agents.firstEnabled(kind);
    if (!agent) throw new Problem(503, 'no_agent', 'Nobody answers here: no agent is switched on.');
    return agent;
  }

  /**
   * The session with somebody who answers in it: an imported one has nobody yet. Throws 400 for a session with an
   * advocate.
   */
  async sessionWithAgent(pass: Moderator, kind: AgentKind): Promise<SessionView> {
    const session = await this.sessions.read(pass);
    if (session.type !== 'agent') {
      throw new Problem(400, 'validation_failed', 'This endpoint is only for chat sessions with an agent');
    }
    if (!session.agent) await this.sessions.letAnswer(pass, (await this.agent(kind)).id);
    return session;
  }

  /**
   * Stores what the person says, and gives it with the agent's answer. Throws 409 `agent_disabled`, 502 where the agent
   * does not answer; what was said is kept.
   */
  async ask(writer: Writer, content: string): Promise<{ message: MessageView; reply: MessageView }> {
    const { message, replyId } = await this.messages.append(writer, { content });
    if (!replyId) throw Problem.conflict('agent_disabled', 'This agent is switched off. Your message is kept.');
    return { message, reply: await this.end(writer.room.id, replyId) };
  }

  private async end(sessionId: string, replyId: string): Promise<MessageView> {
    const reply = await this.following.untilEnd(sessionId, replyId, AbortSignal.timeout(LIMIT_MS));
    if (reply) return reply;
    throw new Problem(502, 'reply_late', 'The agent takes too long. Your message is kept, and the answer will be too.');
  }
}
