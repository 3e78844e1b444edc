import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { ConversationState } from '../conversations/conversation-state.js';
import { ConversationCreated } from '../conversations/conversations.events.js';
import type { DomainEvent } from '../platform/events/event.js';
import { EventBus } from '../platform/events/event-bus.js';
import { MemberAdded, MemberRemoved } from '../servers/memberships/memberships.events.js';
import { ServerDeleted } from '../servers/servers/servers.events.js';
import { Attendance } from './attendance.js';
import { Handshake } from './handshake.js';
import { Hub } from './hub.js';
import { Newcomers } from './newcomers.js';
import { ParleyDialect } from './parley-dialect.js';
import { RoomOrder } from './room-order.js';
import { SocketServer } from './socket-server.js';

/**
 * Where events meet sockets: whatever is announced goes to who listens, and a membership won or lost changes what
 * somebody's open sockets listen to, in the same moment.
 */
@Injectable()
export class RealtimeGateway implements OnModuleInit {
  constructor(
    private readonly bus: EventBus,
    private readonly hub: Hub,
    private readonly order: RoomOrder,
    private readonly server: SocketServer,
    private readonly dialect: ParleyDialect,
    private readonly handshake: Handshake,
    private readonly attendance: Attendance,
    private readonly newcomers: Newcomers,
  ) {}

  onModuleInit(): void {
    this.server.register({
      path: '/api/v1/realtime',
      dialect: this.dialect,
      welcome: (request) => this.handshake.welcome(request),
    });
    this.bus.on(MemberAdded, ({ serverId, member }, { afar }) =>
      this.attendance.joined(member.user.id, serverId, afar),
    );
    this.bus.onAny((event) => {
      if (event.type === ConversationCreated.type) this.newcomers.tell(event as DomainEvent<Created>);
      else if (event.type === MemberRemoved.type) this.tellRemoved(event as DomainEvent<Removed>);
      else this.order.deliver(event);
    });
    // After its last event has gone out: those who listened are told that it is gone.
    this.bus.onAny((event) => {
      if (event.type === ServerDeleted.type) event.audience.forEach((topic) => this.hub.drop(topic));
    });
  }

  private tellRemoved(event: DomainEvent<Removed>): void {
    const { userId, serverId } = event.data;
    const isNews = this.attendance.left(userId, serverId);
    this.hub.deliver(isNews ? event : { ...event, audience: [`server:${serverId}`] });
  }
}

interface Created {
  conversation: ConversationState;
}

interface Removed {
  userId: string;
  serverId: string;
}
