import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  status: number;
  body: any;
}

const ANSWER_MS = 6_000;

/** Calls as one person, of whichever node is named. */
export class Api {
  constructor(
    private readonly urls: readonly string[],
    readonly userId: string,
    readonly token: string,
  ) {}

  anyUrl(): string {
    return this.urls[Math.floor(Math.random() * this.urls.length)] as string;
  }

  /** Throws where no answer came: then nobody knows whether it was done. */
  async call(node: number, method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.urls[node % this.urls.length]}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** Asks until somebody can answer. */
  async get(path: string): Promise<Answer> {
    for (let tries = 0; ; tries += 1) {
      const answer = await this.call(tries, 'GET', path).catch(() => undefined);
      if (answer && answer.status < 500) return answer;
      if (tries > 60) throw new Error(`no answer to ${path}: ${answer?.status}`);
      await sleep(250);
    }
  }
}

/** Whether a refusal settles the matter, so that asking again is of no use. */
export function isOver(code: string): boolean {
  return !['unavailable', 'overloaded', 'rate_limited', 'sync_running', 'sync_interrupted'].includes(code);
}
