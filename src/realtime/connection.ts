import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { WebSocket } from 'ws';
import type { Actor } from '../auth/actor.js';
import type { ConversationState } from '../conversations/conversation-state.js';
import type { DomainEvent, Topic } from '../platform/events/event.js';
import { Ahead, type Form } from './ahead.js';
import { CLOSE } from './close-codes.js';
import { Intake } from './intake.js';
import { textFrame } from './text-frame.js';

/** A language that sockets speak over the one hub: parley.v1, and that of an old system. */
export interface Dialect {
  /** The event in this language, or nothing where it has no word for it. Called once for all its listeners. */
  encode(event: DomainEvent): string | undefined;
  /** A topic that comes and goes with this one, for all sockets of this language. */
  beside?(topic: Topic): Topic | undefined;
  /** Says hello, before anything else is heard. */
  greet(connection: Connection, conversations: ConversationState[]): void;
  /** Takes one text frame. Answers what it refuses; never throws. */
  receive(connection: Connection, text: string): Promise<void>;
  /** Answers a frame that is broken before anything is read of it. */
  refuse(connection: Connection, code: string, message: string): void;
}

/**
 * What one reader may leave unread when the next frames are due. Beyond it the reader is cut off and catches up by
 * `sync`. What falls together in one turn does not count: a burst is not the reader's fault.
 */
const MAX_UNREAD_BYTES = 1024 * 1024;
const CONGESTED_BYTES = 128 * 1024;
/** Events that may wait for `ready` or the end of a sync. */
const MAX_HELD = 5_000;
const ERRORS_IN_A_ROW = 10;
/** A close frame behind a full buffer may never be read: after this the socket is cut. */
const CLOSE_GRACE_MS = 10_000;

/** A change of a room, as far as order is concerned. */
interface Change {
  conversationId: string;
  rev: number;
  frame: Buffer;
  form: Form | undefined;
}

/** A room that became theirs while the socket opened. */
interface Beginning {
  room: ConversationState;
  frame: Buffer;
}

/** A sync that runs. */
interface Sync {
  /** Live events of the room, which wait for its end. */
  held: Change[];
  /** The room, and what it is lost with: its server, or of a thread the room that it hangs in. */
  lostWith: readonly string[];
  isInterrupted: boolean;
}

/** One socket: who is behind it, what it listens to, and what waits to be written to it. */
export class Connection {
  readonly id = uuidv7();
  readonly topics = new Set<Topic>();
  /** Topics lost while the list of topics was still being read: that list is older than the loss. */
  readonly lost = new Set<Topic>();
  /** Topics that are listened to because of others, and end with the last of them. */
  readonly reasons = new Map<Topic, Set<Topic>>();
  readonly ahead = new Ahead();
  readonly intake: Intake;
  unansweredPings = 0;

  private outgoing: Buffer[] = [];
  private errors = 0;
  private opening: (Change | Beginning | Buffer)[] | null = [];
  private readonly syncing = new Map<string, Sync>();
  private expiry: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    readonly ws: WebSocket,
    private readonly socket: Duplex,
    private person: Actor,
    readonly dialect: Dialect,
    private readonly wantsFlush: (connection: Connection, isAnswered: boolean) => void,
  ) {
    this.intake = new Intake(ws, socket);
  }

  /** As they are now: names and rights may change while the socket is open. */
  get actor(): Actor {
    return this.person;
  }

  become(actor: Actor): void {
    this.person = actor;
  }

  get isOpening(): boolean {
    return this.opening !== null;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** What it was told and has not left yet, with what waits for the end of this turn. */
  get unreadBytes(): number {
    return this.outgoing.reduce((sum, { length }) => sum + length, this.socket.writableLength);
  }

  /** An answer to this socket alone. */
  send(value: object): void {
    this.sendText(JSON.stringify(value));
  }

  sendText(text: string): void {
    this.write(textFrame(text), true);
  }

  /** An event. Before `ready`, and for a room that is being synced, it waits for what is older. */
  offer(frame: Buffer, conversationId: string | undefined, rev: number | undefined, form?: Form): void {
    // As it nearly always is: this is the innermost loop of all.
    if (!this.opening && this.ahead.isNowhere && this.syncing.size === 0) return this.write(frame);
    const change = conversationId !== undefined && rev !== undefined ? { conversationId, rev, frame, form } : undefined;
    if (this.opening) this.hold(this.opening, change ?? frame);
    else if (change && this.ahead.covers(change.conversationId, change.rev)) return;
    else if (change && this.syncing.has(change.conversationId))
      this.hold(this.syncing.get(change.conversationId)?.held, change);
    else this.write(frame);
  }

  /** A room that has become theirs. */
  offerRoom(frame: Buffer, room: ConversationState): void {
    if (this.opening) this.hold(this.opening, { room, frame });
    else this.write(frame);
  }

  /**
   * Says hello and then what happened meanwhile, save what the counters in the hello cover already. A room that became
   * theirs before those were read is told by `tellRoom` as they have it: what was said in it since is covered by them.
   */
  open(
    greet: () => void,
    heads: ReadonlyMap<string, ConversationState>,
    tellRoom: (room: ConversationState) => void,
  ): void {
    const waiting = this.opening ?? [];
    this.opening = null;
    greet();
    for (const event of waiting) {
      if (Buffer.isBuffer(event)) this.write(event);
      else if ('room' in event) {
        const head = heads.get(event.room.id);
        if (head && head.rev > event.room.rev) tellRoom(head);
        else this.write(event.frame);
      } else if (!this.ahead.covers(event.conversationId, event.rev))
        this.writeAfter(event, heads.get(event.conversationId));
    }
  }

  /** False where a sync of this room runs already. */
  beginSync(conversationId: string, ...lostWith: (string | null | undefined)[]): boolean {
    if (this.syncing.has(conversationId)) return false;
    const these = [conversationId, ...lostWith].filter((id) => typeof id === 'string');
    this.syncing.set(conversationId, { held: [], lostWith: these, isInterrupted: false });
    return true;
  }

  /** The room, or all of the server, is theirs no more: they forget it with what waited, and may have it again. */
  interruptSync(id: string): void {
    for (const sync of this.syncing.values()) {
      if (!sync.lostWith.includes(id)) continue;
      sync.isInterrupted = true;
      sync.held = [];
    }
  }

  isInterrupted(conversationId: string): boolean {
    return this.syncing.get(conversationId)?.isInterrupted ?? true;
  }

  /** Lets the events go that came during the sync and are newer than what it brought: up to `rev`, messages up to `lastSeq`. */
  endSync(conversationId: string, rev: number, lastSeq: number): void {
    const { held } = this.syncing.get(conversationId) ?? { held: [] };
    this.syncing.delete(conversationId);
    for (const change of held) this.writeAfter(change, { rev, lastSeq });
  }

  /** Whether this form of a change is for it. While that is not known yet, both may be. */
  mayTake(conversationId: string, form: Form): boolean {
    return this.isOpening || this.syncing.has(conversationId) || this.ahead.fits(conversationId, form);
  }

  /** Everything that waits, for one write; empties it. */
  takeOutgoing(): Buffer[] {
    const frames = this.outgoing;
    this.outgoing = [];
    return frames;
  }

  /** Writes what was taken, unless too much of what was written before has not left yet. */
  writeOut(bytes: Buffer): void {
    if (this.socket.writableLength > MAX_UNREAD_BYTES) this.close(CLOSE.tooSlow, 'reads too slowly');
    else if (this.socket.writable && this.socket.write(bytes)) return;
    if (this.socket.writableLength > CONGESTED_BYTES) this.intake.waitForReader();
  }

  /** Resolves when what it was told has left, or the socket is gone. */
  async drained(): Promise<void> {
    if (this.outgoing.length > 0) await setImmediate();
    if (!this.socket.writableNeedDrain || this.closed) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.socket.off('drain', done).off('close', done);
        resolve();
      };
      this.socket.on('drain', done).on('close', done);
    });
  }

  /** Counts what cannot be read at all; ten in a row are the end. */
  countError(): void {
    this.errors += 1;
    if (this.errors >= ERRORS_IN_A_ROW) this.close(CLOSE.tooManyErrors, 'too many errors');
  }

  countGood(): void {
    this.errors = 0;
  }

  /** Closes with 4001 when the token runs out, unless a newer one comes first. */
  expireAt(time: Date): void {
    clearTimeout(this.expiry);
    // Timers hold no more than 2^31 ms; a token that lives longer outlives the connection anyway.
    const ms = Math.min(time.getTime() - Date.now(), 2 ** 31 - 1);
    this.expiry = setTimeout(() => this.close(CLOSE.signInAgain, 'the access token has expired'), ms).unref();
  }

  close(code: number, reason: string): void {
    if (this.closed) return;
    this.closed = true;
    const rest = this.takeOutgoing();
    if (code !== CLOSE.tooSlow && this.socket.writable) rest.forEach((frame) => this.socket.write(frame));
    this.ws.resume();
    this.ws.close(code, reason);
    setTimeout(() => this.ws.terminate(), CLOSE_GRACE_MS).unref();
  }

  /** The socket is gone, whoever ended it. */
  dispose(): void {
    this.closed = true;
    clearTimeout(this.expiry);
    this.takeOutgoing();
    this.opening = null;
    this.syncing.clear();
  }

  private writeAfter({ conversationId, rev, frame, form }: Change, told = { rev: 0, lastSeq: 0 }): void {
    if (rev > told.rev && this.ahead.fits(conversationId, form, told.lastSeq)) this.write(frame);
  }

  private write(frame: Buffer, isAnswer = false): void {
    if (this.closed) return;
    this.outgoing.push(frame);
    if (isAnswer || this.outgoing.length === 1) this.wantsFlush(this, isAnswer);
  }

  private hold<T>(held: T[] | undefined, event: T): void {
    held?.push(event);
    if (held && held.length > MAX_HELD) this.close(CLOSE.tooSlow, 'reads too slowly');
  }
}
