import { WebSocket } from 'ws';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Frame } from '../support/people.js';
import { type Api, isOver } from './api.js';
import { Mirror } from './mirror.js';

const SILENCE_MS = 5_000;
const ANSWER_MS = 6_000;

interface Waiting {
  resolve(frame: Frame): void;
  reject(error: Error): void;
}

/** One device of a person: a socket that comes back by itself, and what it makes of all it hears. */
export class Follower {
  readonly mirror: Mirror;
  connections = 0;
  readonly closings: number[] = [];
  private ws: WebSocket | undefined;
  private isReady = false;
  private isOver = false;
  private heardAt = 0;
  private refs = 0;
  private readonly waiting = new Map<string, Waiting>();
  private readonly pulse = setInterval(() => this.beat(), 1_000);

  constructor(
    private readonly api: Api,
    lazy: boolean,
  ) {
    this.mirror = new Mirror(api.userId, lazy, (...sync) => this.sync(...sync));
    void this.open();
  }

  get isLive(): boolean {
    return this.isReady;
  }

  /** Gives the answer; throws where none came: then nobody knows whether it was done. */
  ask(frame: object): Promise<Frame> {
    return new Promise((resolve, reject) => {
      if (!this.isReady || !this.ws) return reject(new Error('not connected'));
      const ref = `a${(this.refs += 1)}`;
      const limit = setTimeout(() => this.settle(ref)?.reject(new Error('no answer')), ANSWER_MS);
      this.waiting.set(ref, {
        resolve: (answer) => (clearTimeout(limit), resolve(answer)),
        reject: (error) => (clearTimeout(limit), reject(error)),
      });
      this.ws.send(JSON.stringify({ ...frame, ref }));
    });
  }

  /** Breaks off as a network does; it comes back by itself. */
  drop(): void {
    this.ws?.terminate();
  }

  close(): void {
    this.isOver = true;
    clearInterval(this.pulse);
    this.ws?.terminate();
  }

  private async open(): Promise<void> {
    const ws = new WebSocket(`${this.api.anyUrl().replace('http', 'ws')}/api/v1/realtime`, {
      headers: { authorization: `Bearer ${this.api.token}` },
      handshakeTimeout: 3_000,
    });
    this.ws = ws;
    this.heardAt = Date.now();
    ws.on('message', (data: Buffer) => ws === this.ws && this.hear(JSON.parse(data.toString()) as Frame));
    ws.on('ping', () => (this.heardAt = Date.now()));
    ws.on('unexpected-response', (_, { statusCode }) => {
      if (statusCode !== 503) this.mirror.complain(`the handshake was refused with ${statusCode}`);
      ws.terminate();
    });
    ws.on('error', () => undefined);
    const code = await new Promise<number>((resolve) => ws.on('close', resolve));
    if (this.isReady) this.closings.push(code);
    this.isReady = false;
    this.mirror.disconnected();
    for (const ref of [...this.waiting.keys()]) this.settle(ref)?.reject(new Error('disconnected'));
    await sleep(100 + Math.random() * 300);
    if (!this.isOver) void this.open();
  }

  private beat(): void {
    if (Date.now() - this.heardAt > SILENCE_MS) this.drop();
    else if (this.isReady) this.ws?.send('{"type":"ping"}');
  }

  private hear(frame: Frame): void {
    this.heardAt = Date.now();
    if (frame.type === 'ready') {
      this.connections += 1;
      this.isReady = true;
    }
    const { ref } = frame as { ref?: string };
    if (ref !== undefined && this.waiting.has(ref)) this.settle(ref)?.resolve(frame);
    else this.mirror.hear(frame);
  }

  private settle(ref: string): Waiting | undefined {
    const waiting = this.waiting.get(ref);
    this.waiting.delete(ref);
    return waiting;
  }

  /** Its answers go to the mirror, being many. A refusal that is no verdict is asked again while the socket lives. */
  private sync(conversationId: string, afterRev: number, ref: string): void {
    const { ws } = this;
    ws?.send(JSON.stringify({ type: 'sync', ref, conversationId, afterRev }));
    this.mirror.onRefusedSync = (id, code) => {
      if (isOver(code)) return this.mirror.forget(id);
      setTimeout(() => ws === this.ws && this.isReady && this.mirror.syncAgain(id), 300);
    };
  }
}
