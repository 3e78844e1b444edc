import { Injectable } from '@nestjs/common';
import type { MessageView } from '../messages/message.presenter.js';
import type { MessageChange } from '../messages/messages.events.js';
import { arrayAt, Database } from '../platform/database/database.js';
import type { DomainEvent, Personal } from '../platform/events/event.js';
import { Hub } from './hub.js';

/** Those who chose the same emojis together, since they see the same. What was chosen later is not in this change yet. */
const chosenBy = (people: string) => `
  SELECT array_agg(user_id) AS "userIds", emojis FROM (
    SELECT user_id, array_agg(emoji) AS emojis FROM (
      SELECT user_id, emoji FROM reactions
      WHERE conversation_id = $1 AND message_id = $2 AND rev <= $3 AND ${people} ORDER BY user_id, emoji
    ) AS theirs GROUP BY user_id
  ) AS chosen GROUP BY emojis`;
const BY_ANYBODY = chosenBy('user_id IS NOT NULL');
const BY_THESE = chosenBy(`user_id = ANY(${arrayAt(4)})`);

/** Who sees a message's reactions as their own. Asked for those alone who listen here, however many have reacted. */
@Injectable()
export class Reactors {
  constructor(
    private readonly hub: Hub,
    private readonly database: Database,
  ) {}

  /** What some of those who are here see instead of a change; undefined where nobody can have reacted, or it is known. */
  of({ audience, data, personal }: DomainEvent): Promise<Personal<MessageChange>[]> | undefined {
    const change = data as Partial<MessageChange>;
    if (personal || !change.message?.reactions.length) return undefined;
    const people = this.hub.peopleIn(audience);
    return people.size === 0 ? undefined : this.read(change as MessageChange, [...people]);
  }

  private async read(change: MessageChange, people: string[]): Promise<Personal<MessageChange>[]> {
    const { conversationId, rev, message } = change;
    const keys = [conversationId, message.id, rev];
    const reacted = message.reactions.reduce((sum, { count }) => sum + count, 0);
    const [sql, values] = reacted < people.length ? [BY_ANYBODY, keys] : [BY_THESE, [...keys, people]];
    const chosen = await this.database.prepared<{ userIds: string[]; emojis: string[] }>(sql, values);
    return chosen.map(({ userIds, emojis }) => ({
      userIds,
      data: { conversationId, rev, message: { ...message, reactions: asSeenBy(emojis, message.reactions) } },
    }));
  }
}

function asSeenBy(emojis: string[], reactions: MessageView['reactions']): MessageView['reactions'] {
  return reactions.map((reaction) => ({ ...reaction, me: emojis.includes(reaction.emoji) }));
}
