import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AccessService } from '../access/access.service.js';
import type { AnsweringAgent } from '../access/pass.js';
import { HistoryService } from '../messages/history.service.js';
import { MessageStored } from '../messages/messages.events.js';
import { MessagesService } from '../messages/messages.service.js';
import { Database } from '../platform/database/database.js';
import { EventBus } from '../platform/events/event-bus.js';
import { Answerer } from './answerer.js';

/** What an agent is shown of what was said before. */
const HISTORY = 50;

interface Waiting {
  sessionId: string;
  agentId: string;
  messageId: string;
}

/**
 * Lets the agent answer what a person says in an agent session. The reply carries a nonce made of the message it
 * answers, so that it is stored once however often, and on however many nodes, it is attempted; what was left
 * unanswered when a node died is found again at the next start.
 */
@Injectable()
export class RepliesService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(RepliesService.name);
  private readonly lines = new Map<string, Promise<void>>();

  constructor(
    private readonly database: Database,
    private readonly access: AccessService,
    private readonly history: HistoryService,
    private readonly messages: MessagesService,
    private readonly answerer: Answerer,
    bus: EventBus,
  ) {
    bus.on(MessageStored, ({ room, message }) => {
      if (room.kind !== 'session' || !room.agentId || message.role !== 'user') return;
      this.queue({ sessionId: room.id, agentId: room.agentId, messageId: message.id });
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    for (const waiting of await this.unanswered()) this.queue(waiting);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.lines.values());
  }

  /** One reply at a time in a session: the next one waits for the one before. */
  private queue(waiting: Waiting): void {
    const { sessionId } = waiting;
    const before = this.lines.get(sessionId) ?? Promise.resolve();
    const mine = before
      .then(() => this.reply(waiting))
      .finally(() => {
        if (this.lines.get(sessionId) === mine) this.lines.delete(sessionId);
      });
    this.lines.set(sessionId, mine);
  }

  private async reply({ sessionId, agentId, messageId }: Waiting): Promise<void> {
    try {
      const pass = await this.access.enterAsAgent(agentId, sessionId);
      const question = { agentId, sessionId, history: await this.historyUpTo(pass, messageId) };
      const { content, tokensUsed } = await this.answerer.answer(question);
      await this.messages.append(pass, { content, tokensUsed, nonce: `reply:${messageId}` });
    } catch (error) {
      this.logger.warn({ err: error as Error, sessionId, messageId }, 'an agent did not answer');
    }
  }

  private async historyUpTo(pass: AnsweringAgent, messageId: string) {
    const asked = await this.history.find(pass.room.id, messageId);
    const { items } = await this.history.page(pass, { before: asked.seq + 1 }, HISTORY);
    return items.flatMap(({ role, content }) =>
      content === null ? [] : [{ role: role === 'agent' ? ('assistant' as const) : ('user' as const), content }],
    );
  }

  /** Agent sessions whose last word is a person's, and no older than a day: nobody waits for those any more. */
  private unanswered(): Promise<Waiting[]> {
    return this.database.query<Waiting>(
      `SELECT s.id AS "sessionId", s.agent_id AS "agentId", m.id AS "messageId"
       FROM sessions s
       JOIN agents a ON a.id = s.agent_id AND a.enabled
       JOIN conversations c ON c.id = s.id AND c.last_message_at > now() - interval '1 day'
       JOIN messages m ON m.conversation_id = c.id AND m.seq = c.last_seq
       WHERE s.type = 'agent' AND s.status = 'open' AND m.role = 'user' AND m.deleted_at IS NULL`,
    );
  }
}
