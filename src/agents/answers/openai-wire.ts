import { discard, type Outbound, type OutboundAnswer, type OutboundCall } from '../../platform/outbound/outbound.js';
import { AnswerFailure } from './answer.js';

/**
 * The SDK's calls, by the way that all calls go. The stream that answers one is kept apart from the SDK, which takes
 * it through a web stream and four generators: with hundreds of words a second that is a third of what a reply costs.
 */
export class OpenAiWire {
  private stream: OutboundAnswer['body'] | undefined;

  constructor(private readonly outbound: Outbound) {}

  readonly fetch = (address: unknown, { headers, body, signal }: RequestInit = {}): Promise<Response> => {
    if (typeof address !== 'string' || typeof body !== 'string') throw new TypeError('the SDK sends texts');
    return this.call(address, body, { headers: new Headers(headers), ...(signal && { signal }) });
  };

  /** What came as answer. */
  get body(): AsyncIterable<Buffer> {
    if (!this.stream) throw new Error('nothing has been asked yet');
    return this.stream;
  }

  private async call(address: string, body: string, rest: Pick<OutboundCall, 'headers' | 'signal'>): Promise<Response> {
    const answer = await this.outbound.stream(address, { method: 'POST', body, ...rest });
    if (answer.ok) return this.keep(answer);
    const text = await answer.body.text();
    const simpler = refusesUsage(answer.status, text) ? withoutUsage(body) : undefined;
    if (simpler !== undefined) return this.call(address, simpler, rest);
    return new Response(text, { status: answer.status, headers: told(answer.headers) });
  }

  /** A stream was demanded: what else answers 200 is not understood. */
  private keep({ status, headers, body }: OutboundAnswer): Response {
    if (!/^text\/event-stream/.test(String(headers['content-type']))) {
      discard(body);
      throw new AnswerFailure('unreadable', 'Its answer is no event stream.', false);
    }
    this.stream = body;
    return new Response(null, { status });
  }
}

/** Some servers know no `stream_options`: they refuse it by name. */
function refusesUsage(status: number, text: string): boolean {
  return (status === 400 || status === 422) && text.includes('stream_options');
}

function withoutUsage(body: string): string | undefined {
  const { stream_options: asked, ...rest } = JSON.parse(body) as Record<string, unknown>;
  return asked === undefined ? undefined : JSON.stringify(rest);
}

/** What the SDK, and who waits, may want to know of a refusal. */
function told(headers: OutboundAnswer['headers']): Record<string, string> {
  const wanted = ['content-type', 'retry-after', 'retry-after-ms'].filter((name) => headers[name] !== undefined);
  return Object.fromEntries(wanted.map((name) => [name, String(headers[name])]));
}
