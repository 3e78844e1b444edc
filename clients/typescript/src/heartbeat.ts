/** How long an answer to our own ping may take. */
const PATIENCE_MS = 10_000;

/** Finds out that a connection is dead, which nobody says when a cable is cut: a page does not see the server's pings. */
export class Heartbeat {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private quietMs = 0;

  constructor(
    private readonly send: (frame: object) => void,
    private readonly onSilence: () => void,
  ) {}

  start(seconds: number): void {
    this.quietMs = seconds * 1000;
    this.heard();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.quietMs = 0;
  }

  heard(): void {
    clearTimeout(this.timer);
    if (this.quietMs > 0) this.timer = setTimeout(() => this.probe(), this.quietMs);
  }

  private probe(): void {
    this.send({ type: 'ping' });
    this.timer = setTimeout(this.onSilence, PATIENCE_MS);
  }
}
