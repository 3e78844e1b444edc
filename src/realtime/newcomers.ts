import { Injectable, Logger } from '@nestjs/common';
import type { ConversationState } from '../conversations/conversation-state.js';
import { ConversationCreated } from '../conversations/conversations.events.js';
import { MOST_COUNTED } from '../conversations/mine.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import type { DomainEvent, Topic } from '../platform/events/event.js';
import { Problem } from '../platform/http/problem.js';
import type { Connection } from './connection.js';
import { Hub } from './hub.js';
import { RoomOrder } from './room-order.js';

/**
 * Tells people of rooms that have become theirs, as they stand: what was delivered before they listened is covered by
 * what they are told, and what comes after it reaches them.
 */
@Injectable()
export class Newcomers {
  private readonly logger = new Logger(Newcomers.name);

  constructor(
    private readonly hub: Hub,
    private readonly order: RoomOrder,
    private readonly conversations: ConversationsService,
  ) {}

  tell(event: DomainEvent<{ conversation: ConversationState }>): void {
    const { audience, data } = event;
    const { id, rev, lastSeq, serverId } = data.conversation;
    const [topic, ...others] = audience;
    const person = others.length === 0 && topic?.startsWith('user:') ? topic : undefined;
    // Of a server that another node let somebody into they are told once that is seen in the database; and who has lost it
    // again since that was seen is told nothing more.
    if (person && serverId && !this.listens(person, serverId)) return;
    for (const hearer of audience) {
      this.order.learn(id, rev, lastSeq, [serverId ? `server:${serverId}` : hearer], hearer);
    }
    if (person && !this.order.isAt(id, rev)) void this.tellPresent(person, event);
    else this.hub.deliver({ ...event, data: { conversation: this.goneOn(data.conversation) } });
  }

  /** A new channel in which another node's people wrote before the news of it came here: nobody has read any of that. */
  private goneOn(conversation: ConversationState): ConversationState {
    const known = this.order.known(conversation.id);
    if (!known || known.rev <= conversation.rev) return conversation;
    return { ...conversation, rev: known.rev, lastSeq: known.seq, unread: Math.min(known.seq, MOST_COUNTED) };
  }

  /**
   * The state was read before they listened, and the room has gone on: so it is read again while what is delivered now
   * waits. Where it was read on another node, what that has yet to tell is kept from coming twice.
   */
  private async tellPresent(person: Topic, event: DomainEvent<{ conversation: ConversationState }>): Promise<void> {
    const { id, serverId, parent } = event.data.conversation;
    const begin = (connection: Connection) => connection.beginSync(id, parent?.conversationId, serverId);
    const holding = [...this.hub.of(person)].filter(begin);
    let { rev, lastSeq } = event.data.conversation;
    try {
      const conversation = await this.present(person, event.data.conversation);
      ({ rev, lastSeq } = conversation);
      // It may have been lost while it was read; with a server they lose its topic.
      if (!serverId && !this.order.isKnownTo(person.slice('user:'.length), conversation)) return;
      for (const connection of this.hub.of(person)) {
        if (serverId && !connection.topics.has(`server:${serverId}`)) continue;
        this.order.told(connection, id, rev, lastSeq);
        this.hub.tell(connection, ConversationCreated([], { conversation }));
      }
    } finally {
      for (const connection of holding) connection.endSync(id, rev, lastSeq);
    }
  }

  /** A database that is away cannot say it: then the gap shows with the next change. */
  private async present(person: Topic, told: ConversationState): Promise<ConversationState> {
    if (!this.order.hasPassed(told.id, told.rev + 1)) return told;
    try {
      return await this.conversations.stateOf(told.id, person.slice('user:'.length));
    } catch (error) {
      if (!(error instanceof Problem)) this.logger.warn({ err: error as Error }, 'a room is told as it was');
      return told;
    }
  }

  private listens(person: Topic, serverId: string): boolean {
    return [...this.hub.of(person)].some(({ topics }: Connection) => topics.has(`server:${serverId}`));
  }
}
