import type { Outbound } from '../../platform/outbound/outbound.js';
import { AnswerFailure } from './answer.js';

/** Each token comes in a frame of some 300 bytes: this is what may come over the line for an answer of a fair size. */
const MAX_BYTES = 16 * 1024 * 1024;
const COMPLETE = /data: ?\[DONE\]\s*$/;
/** Enough of the end of a stream to find that in. */
const TAIL_BYTES = 32;

type Init = Parameters<Outbound['fetch']>[1] & object;
type Answer = Awaited<ReturnType<Outbound['fetch']>>;

/** The SDK's calls, by the way that all calls go, and what the SDK does not tell of them. */
export class OpenAiWire {
  private tail = '';

  constructor(private readonly outbound: Outbound) {}

  // undici's Response and that of Node's own types are one thing declared twice.
  readonly fetch = ((address: string, init: Init) => this.call(address, init)) as unknown as typeof fetch;

  /** The stream has said itself that nothing is missing. */
  get isComplete(): boolean {
    return COMPLETE.test(this.tail);
  }

  private async call(address: string, init: Init): Promise<Answer> {
    const heard = (chunk: Uint8Array) => {
      this.tail = (this.tail + Buffer.from(chunk.subarray(-TAIL_BYTES)).toString('latin1')).slice(-TAIL_BYTES);
    };
    const answer = await this.outbound.fetch(address, init, { maxBytes: MAX_BYTES, streamed: true, heard });
    if (answer.ok) return stream(answer);
    const simpler = (await refusesUsage(answer)) ? withoutUsage(init.body) : undefined;
    if (!simpler) return answer;
    await answer.body?.cancel();
    return this.call(address, { ...init, body: simpler });
  }
}

/** A stream was demanded: what else answers 200 is not understood. */
async function stream(answer: Answer): Promise<Answer> {
  if (/^text\/event-stream/.test(answer.headers.get('content-type') ?? '')) return answer;
  await answer.body?.cancel();
  throw new AnswerFailure('unreadable', 'Its answer is no event stream.', false);
}

/** Some servers know no `stream_options`: they refuse it by name. */
async function refusesUsage(answer: Answer): Promise<boolean> {
  if (answer.status !== 400 && answer.status !== 422) return false;
  return (await answer.clone().text()).includes('stream_options');
}

function withoutUsage(body: unknown): string | undefined {
  if (typeof body !== 'string') return undefined;
  const { stream_options: asked, ...rest } = JSON.parse(body) as Record<string, unknown>;
  return asked === undefined ? undefined : JSON.stringify(rest);
}
