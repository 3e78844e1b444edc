import { waitFor } from './backoff.js';
import { Emitter } from './emitter.js';
import {
  type Ack,
  type Changes,
  type Cleared,
  DisconnectedError,
  isMessageEvent,
  type Message,
  type OtherFrame,
  type Ready,
  type Refusal,
  RefusedError,
} from './frames.js';
import { Heartbeat } from './heartbeat.js';
import { type Draft, FOR_NOW, Outbox, type Pending } from './outbox.js';
import { type Followed, Positions } from './positions.js';
import { finalReason, OPEN, type SocketConstructor, socketConstructor, type SocketLike } from './socket.js';

export interface RealtimeEvents {
  /** Connected, with the counters of every conversation. What was missed follows as `message`. */
  ready: Ready;
  /** A message in its present state: new, edited, deleted or reacted to. Each change comes once and in order. */
  message: Message;
  /** Everything of the conversation up to this seq is gone. */
  cleared: { conversationId: string; clearedSeq: number };
  /** What is held of the conversation cannot be brought up to date: drop it and load its history. */
  reset: { conversationId: string };
  /** It is gone, or no longer to be seen. */
  gone: { conversationId: string };
  /** Any other event, as it came: read, typing, presence, members, ... */
  event: OtherFrame;
  /** The connection broke; it is tried again after so many milliseconds. */
  offline: { code: number; retryIn: number };
  /** It is over: signed out, or the account is switched off. */
  ended: { reason: string };
}

export interface RealtimeOptions {
  /** Gives the address of a socket with a fresh ticket. Throws `SignedOutError` where signing in again is needed. */
  address: () => Promise<string>;
  /** An access token that is good for a while, and in how many milliseconds it should be exchanged. */
  token: () => Promise<{ token: string; freshFor: number }>;
  WebSocket?: SocketConstructor | undefined;
  /** Where each conversation stands that is kept from an earlier run. */
  revs?: Readonly<Record<string, number>> | undefined;
}

/** The login has ended: nothing but signing in helps. */
export class SignedOutError extends Error {}

/** A sync that is refused with one of these is asked for again: the conversation is there. */
const SYNC_AGAIN: ReadonlySet<string> = new Set([...FOR_NOW, 'sync_running', 'sync_interrupted']);

/** A timer may fire a moment before the clock says so: the token would still be the one that was told last. */
const EARLY_MS = 10;

interface Waiting {
  resolve(answer: Ack): void;
  reject(error: Error): void;
}

/**
 * Follows every conversation of a person over one socket, for as long as it is not closed: it comes back by itself,
 * brings what was missed, and sends each message until it is stored, once.
 */
export class Realtime extends Emitter<RealtimeEvents> {
  private readonly Socket: SocketConstructor;
  private readonly positions = new Positions();
  private readonly outbox = new Outbox();
  private readonly asked = new Map<string, Waiting>();
  private readonly heartbeat = new Heartbeat(
    (frame) => this.transmit(frame),
    () => this.drop(),
  );
  private socket: SocketLike | undefined;
  private isReady = false;
  private userId: string | undefined;
  private isEnded = false;
  private attempt = 0;
  private refs = 0;
  private timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(private readonly options: RealtimeOptions) {
    super();
    this.Socket = socketConstructor(options.WebSocket);
    for (const [id, rev] of Object.entries(options.revs ?? {})) this.positions.follow({ id, rev });
  }

  /** Where each conversation stands: keep it with the messages, and give it to the next run as `revs`. */
  get revs(): Record<string, number> {
    return Object.fromEntries(this.positions.all);
  }

  get isOnline(): boolean {
    return this.isReady;
  }

  /** Opens the socket. It stays open, through everything that can be healed, until `close`. */
  connect(): void {
    void this.open();
  }

  close(): void {
    this.end('closed');
    this.socket?.close(1000);
  }

  /** Sends, now or once connected. Show it at once; `stored` gives what it became. */
  send(draft: Draft): Pending {
    const pending = this.outbox.add(draft);
    if (this.isEnded) this.outbox.abandon(new SignedOutError('This connection has ended.'));
    else if (this.isReady) this.transmit(this.outbox.frame(pending.nonce));
    return pending;
  }

  /** Any other frame of docs/protocol.md. Gives its `ack`; throws RefusedError, or DisconnectedError. */
  ask(frame: { type: string; [field: string]: unknown }): Promise<Ack> {
    const ref = `r${(this.refs += 1)}`;
    return new Promise((resolve, reject) => {
      if (!this.isReady) return reject(new DisconnectedError());
      this.asked.set(ref, { resolve, reject });
      this.transmit({ ...frame, ref });
    });
  }

  /** Moves the read marker. */
  async read(conversationId: string, seq: number): Promise<void> {
    await this.ask({ type: 'read', conversationId, seq });
  }

  private async open(): Promise<void> {
    let address: string;
    try {
      address = await this.options.address();
    } catch (error) {
      if (error instanceof SignedOutError) return this.end(error.message);
      return this.comeBack(0);
    }
    if (this.isEnded) return;
    const socket = new this.Socket(address);
    this.socket = socket;
    socket.addEventListener('message', ({ data }) => this.hear(JSON.parse(String(data)) as { type: string }));
    socket.addEventListener('close', ({ code, reason }) => socket === this.socket && this.lose(code, reason));
    // A close always follows.
    socket.addEventListener('error', () => undefined);
  }

  private lose(code: number, reason: string): void {
    this.socket = undefined;
    this.isReady = false;
    this.heartbeat.stop();
    this.positions.forgetSyncs();
    for (const { reject } of this.asked.values()) reject(new DisconnectedError());
    this.asked.clear();
    const final = finalReason(code);
    if (final !== undefined) this.end(reason || final);
    else this.comeBack(code);
  }

  private comeBack(code: number): void {
    if (this.isEnded) return;
    const retryIn = waitFor(this.attempt);
    this.attempt += 1;
    this.later(retryIn, () => void this.open());
    this.emit('offline', { code, retryIn });
  }

  /** Closed from this side: the other one is silent, and would not answer a closing. */
  private drop(): void {
    const socket = this.socket;
    if (!socket) return;
    this.lose(1006, 'silent');
    socket.close();
  }

  private end(reason: string): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.isReady = false;
    this.heartbeat.stop();
    this.timers.forEach((timer) => clearTimeout(timer));
    this.outbox.abandon(new SignedOutError(reason));
    this.emit('ended', { reason });
  }

  private hear(frame: { type: string }): void {
    if (this.isEnded) return;
    this.heartbeat.heard();
    if (frame.type === 'ready') this.greet(frame as Ready);
    else if (frame.type === 'ack') this.acknowledge(frame as Ack);
    else if (frame.type === 'error') this.refuse(frame as Refusal);
    else if (frame.type === 'changes') this.change(frame as Changes);
    else if (isMessageEvent(frame))
      this.follow(frame.conversationId, frame.rev, () => this.emit('message', frame.message));
    else if (frame.type === 'conversation.cleared') this.clear(frame as Cleared);
    else if (frame.type !== 'pong') this.other(frame);
  }

  private greet(ready: Ready): void {
    this.isReady = true;
    this.attempt = 0;
    this.userId = ready.user.id;
    const present = new Map(ready.conversations.map(({ id, rev }) => [id, rev]));
    for (const id of [...this.positions.all.keys()]) if (!present.has(id)) this.forget(id);
    const behind = [...present].filter(([id, rev]) => this.positions.has(id) && this.positions.get(id) !== rev);
    for (const conversation of ready.conversations) this.positions.follow(conversation);
    this.emit('ready', ready);
    for (const [id] of behind) this.sync(id);
    for (const frame of this.outbox.frames) this.transmit(frame);
    this.heartbeat.start(ready.heartbeatSeconds);
    void this.authenticateInTime();
  }

  private follow(conversationId: string, rev: number, apply: () => void): void {
    const judgement = this.positions.judge(conversationId, rev);
    if (judgement === 'apply') apply();
    else if (judgement === 'gap') this.sync(conversationId);
  }

  private sync(conversationId: string): void {
    if (this.positions.syncOf(conversationId) === undefined) this.askSync(conversationId);
  }

  private askSync(conversationId: string): void {
    const ref = `sync ${conversationId} ${(this.refs += 1)}`;
    this.positions.beginSync(conversationId, ref);
    this.transmit({ type: 'sync', ref, conversationId, afterRev: this.positions.get(conversationId) });
  }

  private syncRefused(conversationId: string, ref: string, code: string): void {
    const isLast = () => this.positions.syncOf(conversationId) === ref;
    // Of before it was lost: it may be there again.
    if (!isLast()) return;
    if (!SYNC_AGAIN.has(code)) return this.forget(conversationId);
    this.again(() => isLast() && this.askSync(conversationId));
  }

  private change({ ref, conversationId, items, rev, more, reset, clearedSeq }: Changes): void {
    // Of before it was lost: it is there again, and may have been asked about anew.
    if (ref === undefined || ref !== this.positions.syncOf(conversationId)) return;
    this.positions.arrivedAt(conversationId, rev, !more);
    if (reset) return this.emit('reset', { conversationId });
    if (clearedSeq > 0) this.emit('cleared', { conversationId, clearedSeq });
    for (const message of items) this.emit('message', message);
  }

  private clear({ conversationId, rev, clearedSeq }: Cleared): void {
    this.follow(conversationId, rev, () => this.emit('cleared', { conversationId, clearedSeq }));
  }

  private other(frame: OtherFrame): void {
    const { conversation, conversationId, serverId, userId } = frame as {
      conversation?: Followed;
      conversationId?: string;
      serverId?: string;
      userId?: string;
    };
    if (frame.type === 'conversation.created' && conversation) this.positions.follow(conversation);
    if (frame.type === 'conversation.deleted' && conversationId) this.forget(conversationId);
    const hasLeft = frame.type === 'member.removed' && userId === this.userId;
    if ((hasLeft || frame.type === 'server.deleted') && serverId) this.forgetWithin(serverId);
    this.emit('event', frame);
  }

  /** With it go the threads on it. */
  private forget(conversationId: string): void {
    this.positions.drop(conversationId);
    this.emit('gone', { conversationId });
    this.forgetWithin(conversationId);
  }

  private forgetWithin(placeId: string): void {
    for (const id of this.positions.within(placeId)) if (this.positions.has(id)) this.forget(id);
  }

  private acknowledge(ack: Ack): void {
    const { ref = '', message } = ack;
    if (message) {
      this.follow(message.conversationId, message.rev, () => this.emit('message', message));
      this.outbox.acknowledge(ref, message);
    }
    this.asked.get(ref)?.resolve(ack);
    this.asked.delete(ref);
  }

  private refuse({ ref = '', code, message, errors }: Refusal): void {
    const error = new RefusedError(code, message, errors);
    const [, unsynced] = /^sync (\S+) \d+$/.exec(ref) ?? [];
    if (unsynced !== undefined) return this.syncRefused(unsynced, ref, code);
    if (this.outbox.refuse(ref, error)) this.again(() => this.transmit(this.outbox.frame(ref)));
    this.asked.get(ref)?.reject(error);
    this.asked.delete(ref);
  }

  /** The socket lives as long as the token it was told last: it is told the next one before that. */
  private async authenticateInTime(): Promise<void> {
    const socket = this.socket;
    try {
      const { freshFor } = await this.options.token();
      this.later(freshFor + EARLY_MS, () => void this.authenticate(socket));
    } catch {
      // The socket is closed with 4001 when the time comes, and what is wrong shows on coming back.
      return;
    }
  }

  private async authenticate(socket: SocketLike | undefined): Promise<void> {
    if (socket !== this.socket || !this.isReady) return;
    try {
      const { token } = await this.options.token();
      await this.ask({ type: 'authenticate', token });
      await this.authenticateInTime();
    } catch {
      return;
    }
  }

  private transmit(frame: object | undefined): void {
    if (frame && this.socket?.readyState === OPEN) this.socket.send(JSON.stringify(frame));
  }

  /** After a refusal that passes. */
  private again(act: () => void): void {
    this.attempt += 1;
    this.later(waitFor(this.attempt), act);
  }

  private later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      act();
    }, ms);
    this.timers.add(timer);
  }
}
