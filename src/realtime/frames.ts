import { Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.js';
import type { Action } from '../access/verdict.js';
import { TokensService } from '../auth/tokens.service.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { MessagesService } from '../messages/messages.service.js';
import { Problem } from '../platform/http/problem.js';
import type { Connection } from './connection.js';
import {
  AuthenticateFrame,
  DeleteFrame,
  EditFrame,
  Frame,
  PresenceFrame,
  ReadFrame,
  RoomFrame,
  SendFrame,
  SyncFrame,
} from './frames.dto.js';
import { LoginWatch } from './login-watch.js';
import { Presence } from './presence.js';
import { Subscriptions } from './subscriptions.js';
import { SyncService } from './sync.service.js';
import { Typing } from './typing.js';

/** What goes back to the sender: an object now, or one that is on its way while the next frame is read. */
export type Answer = object | undefined | { later: Promise<object | undefined> };

/** One type of frame. A frame type without a stated access cannot be declared, and the router enters by it. */
export interface FrameKind<F extends Frame = Frame> {
  /** What the sender must be allowed in the frame's conversation; `self` for what touches only the sender. */
  access: Action | 'self';
  form: new () => F;
  handle(connection: Connection, frame: F): Promise<Answer>;
}

/** The words of parley.v1 from client to server. */
@Injectable()
export class Frames {
  readonly kinds: ReadonlyMap<string, FrameKind>;

  constructor(
    private readonly access: AccessService,
    private readonly messages: MessagesService,
    private readonly conversations: ConversationsService,
    private readonly syncs: SyncService,
    private readonly tokens: TokensService,
    private readonly subscriptions: Subscriptions,
    private readonly presence: Presence,
    private readonly typing: Typing,
    private readonly logins: LoginWatch,
  ) {
    this.kinds = new Map<string, FrameKind>([
      ['ping', kind('self', Frame, () => Promise.resolve({ type: 'pong' }))],
      ['authenticate', kind('self', AuthenticateFrame, (...args) => this.authenticate(...args))],
      ['message.send', kind('write', SendFrame, (...args) => this.send(...args))],
      ['message.edit', kind('write', EditFrame, (...args) => this.edit(...args))],
      ['message.delete', kind('write', DeleteFrame, (...args) => this.delete(...args))],
      ['read', kind('read', ReadFrame, (...args) => this.read(...args))],
      ['sync', kind('read', SyncFrame, (...args) => this.sync(...args))],
      ['subscribe', kind('read', RoomFrame, (...args) => this.subscribe(...args))],
      ['unsubscribe', kind('self', RoomFrame, (...args) => this.unsubscribe(...args))],
      ['presence.set', kind('self', PresenceFrame, (...args) => this.setPresence(...args))],
      ['typing.start', kind('write', RoomFrame, (...args) => this.typingStart(...args))],
      ['typing.stop', kind('write', RoomFrame, (...args) => this.typingStop(...args))],
    ]);
  }

  /**
   * Later: the next send of this socket may join the same batch. Its place in the order is taken already, save where it
   * takes a look at who is here first.
   */
  private async send({ actor }: Connection, { conversationId, ...draft }: SendFrame): Promise<Answer> {
    const writer = await this.access.enter(actor, conversationId, 'write');
    const sending = this.messages.append(writer, draft).then(({ message }) => ({ type: 'ack', message }));
    return mayNameMany(draft.content) ? sending : { later: sending };
  }

  private async edit({ actor }: Connection, { conversationId, messageId, content }: EditFrame): Promise<Answer> {
    const writer = await this.access.enter(actor, conversationId, 'write');
    return { type: 'ack', message: await this.messages.edit(writer, messageId, content) };
  }

  private async delete({ actor }: Connection, { conversationId, messageId }: DeleteFrame): Promise<Answer> {
    const pass = await this.access.enterToChange(actor, conversationId);
    return { type: 'ack', message: await this.messages.delete(pass, messageId) };
  }

  private async read({ actor }: Connection, { conversationId, seq }: ReadFrame): Promise<Answer> {
    const reader = await this.access.enter(actor, conversationId, 'read');
    return { type: 'ack', seq: await this.conversations.markRead(reader, seq) };
  }

  private async sync(connection: Connection, { conversationId, afterRev, ref }: SyncFrame): Promise<Answer> {
    const { room } = await this.access.enter(connection.actor, conversationId, 'read');
    return { later: this.syncs.run(connection, room, afterRev, ref) };
  }

  private async subscribe(connection: Connection, { conversationId }: RoomFrame): Promise<Answer> {
    const mayRead = () => this.access.enter(connection.actor, conversationId, 'read');
    await this.subscriptions.begin(connection, await mayRead());
    // Once more: the standing may have ended while it was looked at, before anything here was there to end with it.
    const reader = await mayRead().catch((refusal: unknown) => {
      this.subscriptions.end(connection, conversationId);
      throw refusal;
    });
    return { type: 'ack', ...(await this.presence.shownIn(reader)) };
  }

  private unsubscribe(connection: Connection, { conversationId }: RoomFrame): Promise<Answer> {
    this.subscriptions.end(connection, conversationId);
    return Promise.resolve({ type: 'ack' });
  }

  private async setPresence({ actor }: Connection, { status }: PresenceFrame): Promise<Answer> {
    await this.presence.choose(actor.userId, status);
    return { type: 'ack' };
  }

  private async typingStart(connection: Connection, { conversationId }: RoomFrame): Promise<Answer> {
    this.typing.start(connection, await this.access.enter(connection.actor, conversationId, 'write'));
    return undefined;
  }

  private async typingStop(connection: Connection, { conversationId }: RoomFrame): Promise<Answer> {
    const { room, actor } = await this.access.enter(connection.actor, conversationId, 'write');
    this.typing.stop(actor.userId, room.id);
    return undefined;
  }

  private async authenticate(connection: Connection, { token }: AuthenticateFrame): Promise<Answer> {
    const { actor, expiresAt } = await this.tokens.verify(token);
    if (actor.userId !== connection.actor.userId) throw Problem.forbidden('This socket belongs to somebody else.');
    connection.become(actor);
    connection.expireAt(expiresAt);
    // It may have ended while it was looked at, before this socket was known to go on with it.
    await this.logins.refresh(connection);
    return { type: 'ack' };
  }
}

function mayNameMany(content: string): boolean {
  return content.includes('@') && /@here/i.test(content);
}

function kind<F extends Frame>(
  access: FrameKind['access'],
  form: new () => F,
  handle: FrameKind<F>['handle'],
): FrameKind {
  return { access, form, handle };
}
