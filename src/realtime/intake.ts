import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

const MAX_PENDING_FRAMES = 64;
const MAX_PENDING_BYTES = 128 * 1024;

/**
 * How fast one socket is read: who sends faster than its frames are worked on, or than it reads what it gets for them,
 * is not listened to meanwhile.
 */
export class Intake {
  /** Frames that are being worked on, and sends that are not acknowledged yet. */
  private pending = 0;
  private pendingBytes = 0;
  private stopped = false;
  private congested = false;

  constructor(
    private readonly ws: WebSocket,
    private readonly socket: Duplex,
  ) {}

  get isIdle(): boolean {
    return this.pending === 0;
  }

  begun(bytes = 0): void {
    this.pending += 1;
    this.pendingBytes += bytes;
    if (this.isBusy) this.ws.pause();
  }

  settled(bytes = 0): void {
    this.pending -= 1;
    this.pendingBytes -= bytes;
    this.readOn();
  }

  waitForReader(): void {
    if (this.congested) return;
    this.congested = true;
    this.ws.pause();
    this.socket.once('drain', () => {
      this.congested = false;
      this.readOn();
    });
  }

  /** Nothing more is read. */
  stop(): void {
    this.stopped = true;
    this.ws.pause();
  }

  private get isBusy(): boolean {
    return this.pending >= MAX_PENDING_FRAMES || this.pendingBytes >= MAX_PENDING_BYTES;
  }

  private readOn(): void {
    if (this.ws.isPaused && !this.isBusy && !this.congested && !this.stopped) this.ws.resume();
  }
}
