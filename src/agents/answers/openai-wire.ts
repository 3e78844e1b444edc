import { Response } from 'undici';
import type { Outbound } from '../../platform/outbound/outbound.js';
import { AnswerFailure } from './answer.js';

/** Each token comes in a frame of some 300 bytes: this is what may come over the line for an answer of a fair size. */
const MAX_BYTES = 16 * 1024 * 1024;
const COMPLETE = /data: ?\[DONE\]\s*$/;
/** Enough of the end of a stream to find that in. */
const TAIL_BYTES = 32;

type Init = Parameters<Outbound['fetch']>[1] & object;

/** The SDK's calls, by the way that all calls go, and what the SDK does not tell of them. */
export class OpenAiWire {
  /** The stream has said itself that nothing is missing. */
  isComplete = false;

  constructor(private readonly outbound: Outbound) {}

  // undici's Response and that of Node's own types are one thing declared twice.
  readonly fetch = ((address: string, init: Init) => this.call(address, init)) as unknown as typeof fetch;

  private async call(address: string, init: Init): Promise<Response> {
    const answer = await this.outbound.fetch(address, init, { maxBytes: MAX_BYTES, streamed: true });
    if (answer.ok) return this.watched(answer);
    const text = await answer.text();
    const simpler = isAboutUsage(answer.status, text) ? withoutUsage(init.body) : undefined;
    if (simpler) return this.call(address, { ...init, body: simpler });
    const { status, headers } = answer;
    return new Response(text, { status, headers });
  }

  /** A stream was demanded: what else answers 200 is not understood. */
  private async watched(answer: Response): Promise<Response> {
    if (/^text\/event-stream/.test(answer.headers.get('content-type') ?? '') && answer.body) {
      return new Response(this.read(answer.body), { headers: answer.headers });
    }
    await answer.body?.cancel();
    throw new AnswerFailure('unreadable', 'Its answer is no event stream.', false);
  }

  private async *read(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let tail = '';
    for await (const chunk of body) {
      tail = (tail + Buffer.from(chunk.subarray(-TAIL_BYTES)).toString('latin1')).slice(-TAIL_BYTES);
      this.isComplete = COMPLETE.test(tail);
      yield chunk;
    }
  }
}

/** Some servers know no `stream_options`: they refuse it by name. */
function isAboutUsage(status: number, text: string): boolean {
  return (status === 400 || status === 422) && text.includes('stream_options');
}

function withoutUsage(body: unknown): string | undefined {
  if (typeof body !== 'string') return undefined;
  const { stream_options: asked, ...rest } = JSON.parse(body) as Record<string, unknown>;
  return asked === undefined ? undefined : JSON.stringify(rest);
}
