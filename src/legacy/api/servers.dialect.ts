import { Injectable } from '@nestjs/common';
import { IsString, Length } from 'class-validator';
import { AccessService } from '../../access/access.service.js';
import type { Writer } from '../../access/pass.js';
import { IsContent } from '../../messages/messages.dto.js';
import { type MessageChange, MessageCreated } from '../../messages/messages.events.js';
import { MessagesService } from '../../messages/messages.service.js';
import { Config } from '../../platform/config/config.js';
import type { DomainEvent, Topic } from '../../platform/events/event.js';
import { Problem } from '../../platform/http/problem.js';
import { problemOf } from '../../platform/http/problem.filter.js';
import { checked, LeavesOutUnknown } from '../../platform/http/validation.js';
import type { Connection, Dialect } from '../../realtime/connection.js';
import { RateLimiter } from '../../realtime/rate-limiter.js';
import { Typing } from '../../realtime/typing.js';
import { type SomebodyTyping, TypingStarted, TypingStopped } from '../../realtime/typing.events.js';
import { clockTime } from './clock-time.js';
import { OldIds } from './old-ids.js';

@LeavesOutUnknown()
class ChannelFrame {
  @IsString() type: string;
  /** Of today, or from before an import. */
  @IsString() @Length(1, 200) serverId: string;
  @IsString() @Length(1, 200) channelId: string;
}

@LeavesOutUnknown()
class SendFrame extends ChannelFrame {
  @IsContent() text: string;
}

const TYPING: Readonly<Record<string, string>> = {
  [TypingStarted.type]: 'typing_start',
  [TypingStopped.type]: 'typing_stop',
};

/** What the clients of the old community server speak on `/chat/ws`: channels only, no numbers, no resume. */
@Injectable()
export class ServersDialect implements Dialect {
  private readonly limiter: RateLimiter;

  constructor(
    private readonly access: AccessService,
    private readonly messages: MessagesService,
    private readonly typing: Typing,
    private readonly oldIds: OldIds,
    config: Config,
  ) {
    this.limiter = new RateLimiter(config.rateLimit);
  }

  /** The old clients hear who types anywhere in their servers, without asking for it. */
  beside(topic: Topic): Topic | undefined {
    return topic.startsWith('server:') ? `typing:${topic.slice('server:'.length)}` : undefined;
  }

  encode(event: DomainEvent): string | undefined {
    const { type, audience, data, within } = event;
    if (TYPING[type]) return typingFrame(event, TYPING[type]);
    const [topic] = audience;
    if (type !== MessageCreated.type || within !== undefined || !topic?.startsWith('server:')) return undefined;
    const { message, conversationId } = data as MessageChange;
    // New here, and deleted again before this node was told of it.
    if (message.deletedAt) return undefined;
    return JSON.stringify({
      type: 'new_message',
      id: message.id,
      user: message.author && 'username' in message.author ? message.author.username : 'system',
      text: message.content,
      timestamp: clockTime(message.createdAt),
      serverId: topic.slice('server:'.length),
      channelId: conversationId,
    });
  }

  /** The old server said nothing. */
  greet(): void {}

  async receive(connection: Connection, text: string): Promise<void> {
    const frame = parse(text);
    if (!frame) return this.refuse(connection, '', 'Invalid JSON');
    if (!this.limiter.admits(connection)) return this.refuse(connection, '', 'Too many messages');
    try {
      if (!isKnown(frame.type)) return this.refuse(connection, '', 'Unknown message type');
      connection.countGood();
      if (frame.type === 'send_message') await this.send(connection, checked(SendFrame, frame));
      else await this.type(connection, checked(ChannelFrame, frame));
    } catch (error) {
      connection.send({ type: 'error', message: problemOf(error).detail });
    }
  }

  refuse(connection: Connection, _code: string, message: string): void {
    connection.send({ type: 'error', message });
    connection.countError();
  }

  private async send(connection: Connection, frame: SendFrame): Promise<void> {
    await this.messages.append(await this.enter(connection, frame), { content: frame.text });
  }

  private async type(connection: Connection, frame: ChannelFrame): Promise<void> {
    const writer = await this.enter(connection, frame);
    if (frame.type === 'typing_start') this.typing.start(connection, writer);
    else this.typing.stop(writer.actor.userId, writer.room.id);
  }

  private async enter({ actor }: Connection, { serverId, channelId }: ChannelFrame): Promise<Writer> {
    const [server, channel] = await Promise.all([
      this.oldIds.find('server', serverId),
      this.oldIds.find('conversation', channelId),
    ]);
    const writer = await this.access.enter(actor, channel, 'write', 'channel');
    if (writer.room.serverId !== server) throw Problem.notFound('This channel');
    return writer;
  }
}

function isKnown(type: unknown): boolean {
  return type === 'send_message' || type === 'typing_start' || type === 'typing_stop';
}

/** Nothing where it is not in a channel. */
function typingFrame({ audience, data }: DomainEvent, type: string): string | undefined {
  const server = audience.find((topic) => topic.startsWith('typing:'));
  if (!server) return undefined;
  const { user, conversationId } = data as SomebodyTyping;
  return JSON.stringify({
    type,
    username: user.username,
    serverId: server.slice('typing:'.length),
    channelId: conversationId,
  });
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
