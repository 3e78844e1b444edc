import type { ServerResponse } from 'node:http';
import { delta, type Received, Upstream, usage } from './upstream.js';

/** One call that a model has received, answered piece by piece as the test says. */
export class ModelCall {
  /** In milliseconds, as performance.now() counts. */
  readonly cameAt = performance.now();

  constructor(
    readonly received: Received,
    private readonly response: ServerResponse,
    /** Settles when the caller has gone or the answer is out. */
    readonly over: Promise<void>,
  ) {}

  /** What was asked, oldest first, without the system prompt. */
  get lines(): string[] {
    const messages = this.received.body.messages as { role: string; content: string }[];
    return messages.filter(({ role }) => role !== 'system').map(({ role, content }) => `${role}: ${content}`);
  }

  say(text: string): void {
    if (!this.response.headersSent) this.response.writeHead(200, { 'content-type': 'text/event-stream' });
    this.event(delta(text));
  }

  end(tokens = 7): void {
    this.event(delta(null, 'stop'));
    this.event(usage(tokens));
    this.response.end('data: [DONE]\n\n');
  }

  answer(text: string): void {
    this.say(text);
    this.end();
  }

  breakOff(): void {
    this.response.destroy();
  }

  refuse(status: number, headers: Record<string, string> = {}): void {
    this.response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end('{"error":{"message":"no"}}');
  }

  private event(event: object): void {
    this.response.write(`data: ${JSON.stringify(event)}\n\n`);
  }
}

/** An OpenAI-compatible model that says what a test lets it say, when the test lets it. */
export class Model {
  private readonly calls: ModelCall[] = [];
  private waiting: ((call: ModelCall) => void)[] = [];

  private constructor(readonly upstream: Upstream) {
    upstream.does((response, received) => {
      const over = new Promise<void>((resolve) => response.on('close', resolve));
      const call = new ModelCall(received, response, over);
      const next = this.waiting.shift();
      if (next) next(call);
      else this.calls.push(call);
    });
  }

  static async start(): Promise<Model> {
    return new Model(await Upstream.start());
  }

  /** The next call, received or to come. */
  next(): Promise<ModelCall> {
    const call = this.calls.shift();
    return call ? Promise.resolve(call) : new Promise((resolve) => this.waiting.push(resolve));
  }

  get unheard(): number {
    return this.calls.length;
  }

  stop(): Promise<void> {
    return this.upstream.stop();
  }
}
