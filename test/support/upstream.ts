import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: any;
}

type Behaviour = (response: ServerResponse, received: Received) => void | Promise<void>;

/** What an agent calls: a small real HTTP server, which keeps what it received and does what the test says. */
export class Upstream {
  readonly received: Received[] = [];
  private behaviour: Behaviour = (response) => void response.end();

  private constructor(private readonly server: Server) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.answer(request, response));
  }

  static async start(): Promise<Upstream> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Upstream(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on. */
  does(behaviour: Behaviour): void {
    this.received.length = 0;
    this.behaviour = behaviour;
  }

  /** Answers with this, as JSON unless it is a text. */
  says(answer: unknown, status = 200, type = typeof answer === 'string' ? 'text/plain' : 'application/json'): void {
    const body = typeof answer === 'string' ? answer : JSON.stringify(answer);
    this.does((response) => void response.writeHead(status, { 'content-type': type }).end(body));
  }

  /** Streams as OpenAI does: these events, and what ends the stream unless it is `cut` or not `complete`. */
  streams(events: (object | string)[], { cut = false, complete = true } = {}): void {
    this.does(async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of events) {
        response.write(`data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (cut) response.destroy();
      else response.end(complete ? 'data: [DONE]\n\n' : '');
    });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    const text = Buffer.concat(chunks).toString();
    const received = { method, path: url, headers, body: text === '' ? undefined : JSON.parse(text) };
    this.received.push(received);
    await this.behaviour(response, received);
  }
}

/** A piece of an answer in OpenAI's form. */
export function delta(content: string | null, finish_reason: string | null = null): object {
  return { id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content }, finish_reason }] };
}

/** The last event of a stream that was asked for its usage. */
export function usage(total_tokens: number): object {
  return { id: 'c', object: 'chat.completion.chunk', choices: [], usage: { total_tokens } };
}
