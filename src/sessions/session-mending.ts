import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { EventBus } from '../platform/events/event-bus.js';
import { HintsLost } from '../platform/nodes/nodes.events.js';
import { RedisLink } from '../platform/nodes/redis-link.js';
import { ToldQueue } from './peer/told-queue.js';
import { ToldReplies } from './replies/told-replies.js';

const RETRY_MS = 1_000;

/**
 * Where other nodes announced something that did not arrive: tells who is here what has become of the queue and of
 * replies. Messages, which have a `rev`, are mended by the sockets themselves.
 */
@Injectable()
export class SessionMending implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(SessionMending.name);
  private mending = false;
  private again = false;
  private stopped = false;

  constructor(
    private readonly bus: EventBus,
    private readonly link: RedisLink,
    private readonly queue: ToldQueue,
    private readonly replies: ToldReplies,
  ) {}

  onModuleInit(): void {
    if (!this.link.isWanted) return;
    this.queue.listen();
    this.replies.listen();
    this.bus.on(HintsLost, () => void this.mend());
  }

  /** Nobody listens yet: what is told now is what those who come are thought to know. */
  onApplicationBootstrap(): void {
    if (this.link.isWanted) void this.mend();
  }

  onApplicationShutdown(): void {
    this.stopped = true;
  }

  private async mend(): Promise<void> {
    this.again = true;
    if (this.mending) return;
    this.mending = true;
    while (this.again && !this.stopped) {
      this.again = false;
      await this.catchUp();
    }
    this.mending = false;
  }

  private async catchUp(): Promise<void> {
    try {
      await this.queue.catchUp();
      await this.replies.catchUp();
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'what was missed of sessions could not be read yet');
      setTimeout(() => void this.mend(), RETRY_MS).unref();
    }
  }
}
