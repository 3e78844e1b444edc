import { Injectable } from '@nestjs/common';
import { IsString, IsUUID } from 'class-validator';
import { AccessService } from '../../access/access.service.js';
import { IsContent } from '../../messages/messages.dto.js';
import { type MessageChange, MessageCreated } from '../../messages/messages.events.js';
import { MessagesService } from '../../messages/messages.service.js';
import { Config } from '../../platform/config/config.js';
import type { DomainEvent } from '../../platform/events/event.js';
import { Problem } from '../../platform/http/problem.js';
import { problemOf } from '../../platform/http/problem.filter.js';
import { checked } from '../../platform/http/validation.js';
import type { Connection, Dialect } from '../../realtime/connection.js';
import { RateLimiter } from '../../realtime/rate-limiter.js';
import { clockTime } from './clock-time.js';

class SendFrame {
  @IsString() type: string;
  @IsUUID() serverId: string;
  @IsUUID() channelId: string;
  @IsContent() text: string;
}

/** What the clients of the old community server speak on `/chat/ws`: channels only, no numbers, no resume. */
@Injectable()
export class ServersDialect implements Dialect {
  private readonly limiter: RateLimiter;

  constructor(
    private readonly access: AccessService,
    private readonly messages: MessagesService,
    config: Config,
  ) {
    this.limiter = new RateLimiter(config.rateLimit);
  }

  encode({ type, audience, data }: DomainEvent): string | undefined {
    const [topic] = audience;
    if (type !== MessageCreated.type || !topic?.startsWith('server:')) return undefined;
    const { message, conversationId } = data as MessageChange;
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
      if (frame.type === 'typing_start' || frame.type === 'typing_stop') return;
      if (frame.type !== 'send_message') return this.refuse(connection, '', 'Unknown message type');
      connection.countGood();
      await this.send(connection, checked(SendFrame, frame));
    } catch (error) {
      connection.send({ type: 'error', message: problemOf(error).detail });
    }
  }

  refuse(connection: Connection, _code: string, message: string): void {
    connection.send({ type: 'error', message });
    connection.countError();
  }

  private async send({ actor }: Connection, { serverId, channelId, text }: SendFrame): Promise<void> {
    const writer = await this.access.enter(actor, channelId, 'write', 'channel');
    if (writer.room.serverId !== serverId.toLowerCase()) throw Problem.notFound('This channel');
    await this.messages.append(writer, { content: text });
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
