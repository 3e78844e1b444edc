import type { Person } from './people.js';

export interface StreamEvent {
  event: string;
  data: any;
}

/** A text/event-stream that is read as it comes. */
export class EventStream {
  readonly heard: StreamEvent[] = [];
  readonly ended: Promise<StreamEvent[]>;
  private waiting: (() => void)[] = [];
  private over = false;

  private constructor(
    readonly status: number,
    body: ReadableStream<Uint8Array>,
  ) {
    this.ended = this.read(body);
    this.ended.catch(() => undefined);
  }

  static async open(who: Person, method: string, path: string, signal?: AbortSignal): Promise<EventStream> {
    const response = await fetch(`${who.url}/api/v1${path}`, {
      method,
      headers: { accept: 'text/event-stream', authorization: `Bearer ${who.token}` },
      ...(signal && { signal }),
    });
    return new EventStream(response.status, response.body as ReadableStream<Uint8Array>);
  }

  /** What the deltas come to, each put where it says. */
  get text(): string {
    return textOf(this.heard.filter(({ event }) => event === 'delta').map(({ data }) => data));
  }

  async next(fits: (event: StreamEvent) => boolean): Promise<StreamEvent> {
    for (;;) {
      const found = this.heard.find(fits);
      if (found) return found;
      if (this.over) throw new Error(`ended before: ${JSON.stringify(this.heard)}`);
      await new Promise<void>((look) => this.waiting.push(look));
    }
  }

  async untilText(text: string): Promise<void> {
    await this.next(() => this.text === text);
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<StreamEvent[]> {
    let rest = '';
    const decoder = new TextDecoder();
    try {
      for await (const chunk of body) {
        const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
        rest = blocks.pop() ?? '';
        this.heard.push(...blocks.filter((block) => block.startsWith('event:')).map(eventIn));
        this.waiting.splice(0).forEach((look) => look());
      }
    } finally {
      this.over = true;
      this.waiting.splice(0).forEach((look) => look());
    }
    return this.heard;
  }
}

/** Puts each piece where it says, dropping what stood there. */
export function textOf(deltas: { at: number; text: string }[]): string {
  return deltas.reduce((known, { at, text }) => {
    if (at > known.length) throw new Error(`a gap after ${known.length}: ${at}`);
    return known.slice(0, at) + text;
  }, '');
}

function eventIn(block: string): StreamEvent {
  const [, event = '', data = 'null'] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
  return { event, data: JSON.parse(data) };
}
