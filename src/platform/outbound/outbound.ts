import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, fetch, type RequestInit, Response } from 'undici';
import type { Config } from '../config/config.js';
import { isPublicAddress } from './addresses.js';
import { allowsAddress, allowsName, withoutBrackets } from './allowed-hosts.js';
import { outboundError, OutboundError } from './outbound-error.js';

const CONNECT_MS = 10_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/** All addresses of a name, as `dns.lookup` gives them. */
export type Lookup = (
  name: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

interface Bounds {
  maxBytes?: number;
  /** The time limit counts anew with each piece of the answer. */
  streamed?: boolean;
  /** Is told of each piece as it comes. */
  heard?: (chunk: Uint8Array) => void;
}

/**
 * Calls machines whose address somebody has typed in. Only the open internet and what OUTBOUND_ALLOWED_HOSTS names
 * is reached, judged by the address that is connected to: a name is looked up once for a connection, and the
 * connection goes to what was judged, so that a name which changes its address in between gains nothing.
 */
@Injectable()
export class Outbound implements OnApplicationShutdown {
  private readonly agent: Agent;

  constructor(
    private readonly config: Config,
    private readonly lookup: Lookup,
  ) {
    const limit = config.agentTimeoutSeconds * 1000;
    this.agent = new Agent({
      headersTimeout: limit,
      bodyTimeout: limit,
      connect: (options, callback) => this.connect(options, callback),
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.agent.destroy();
  }

  /** Says what is wrong with an address before anything is called; nothing where it may be tried. */
  objection(text: string): string | undefined {
    if (!URL.canParse(text)) return 'must be a URL such as https://agent.example/hook';
    const url = new URL(text);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must start with https:// or http://';
    if (url.username !== '' || url.password !== '') return 'must not hold a user name or password';
    const host = withoutBrackets(url.hostname);
    const allowed = isIP(host) ? this.mayConnect(host, portOf(url)) : !isOwnName(host) || this.mayCall(host, url);
    return allowed ? undefined : 'names a private address, which OUTBOUND_ALLOWED_HOSTS does not list';
  }

  /**
   * As fetch, within the time limit and with an answer of `maxBytes` at most. Throws OutboundError, also from the answer's body
   * (there as it is, or as the cause of what undici throws); what `init.signal` aborts rejects with its reason.
   */
  async fetch(
    address: string | URL,
    init: RequestInit = {},
    { maxBytes = MAX_ANSWER_BYTES, streamed = false, heard }: Bounds = {},
  ): Promise<Response> {
    const objection = this.objection(String(address));
    if (objection) throw new OutboundError('not_allowed', `The address ${objection}.`);
    const signal = streamed ? init.signal : this.withTimeLimit(init.signal);
    try {
      const answer = await fetch(address, {
        ...init,
        signal: signal ?? null,
        redirect: 'manual',
        dispatcher: this.agent,
      });
      if (answer.status < 300 || answer.status > 399) return bounded(answer, maxBytes, heard);
      await answer.body?.cancel();
    } catch (error) {
      throw init.signal?.aborted ? init.signal.reason : outboundError(error);
    }
    throw new OutboundError('redirected', 'It answers with a redirect, and redirects are not followed.');
  }

  private withTimeLimit(signal: AbortSignal | null | undefined): AbortSignal {
    const time = AbortSignal.timeout(this.config.agentTimeoutSeconds * 1000);
    return signal ? AbortSignal.any([signal, time]) : time;
  }

  private connect(options: buildConnector.Options, callback: buildConnector.Callback): void {
    const host = withoutBrackets(options.hostname);
    const port = Number(options.port || (options.protocol === 'https:' ? 443 : 80));
    if (isIP(host) && !this.mayConnect(host, port)) return callback(notAllowed(), null);
    const lookup = allowsName(this.config.outboundAllowedHosts, host, port) ? undefined : this.judgingLookup(port);
    buildConnector({ timeout: CONNECT_MS, ...(lookup && { lookup }) })(options, callback);
  }

  /** One closed address among several closes the name: which of them is taken is up to the network. */
  private judgingLookup(port: number): LookupFunction {
    return (name, options, callback) => {
      this.lookup(name, { ...options, all: true }, (error, addresses) => {
        const [first] = addresses ?? [];
        if (error || !first) return callback(error ?? notAllowed(), '', 0);
        if (!addresses.every(({ address }) => this.mayConnect(address, port))) return callback(notAllowed(), '', 0);
        if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      });
    };
  }

  private mayConnect(address: string, port: number): boolean {
    return isPublicAddress(address) || allowsAddress(this.config.outboundAllowedHosts, address, port);
  }

  private mayCall(name: string, url: URL): boolean {
    return allowsName(this.config.outboundAllowedHosts, name, portOf(url));
  }
}

function notAllowed(): OutboundError {
  return new OutboundError('not_allowed', 'The address is a private one, which OUTBOUND_ALLOWED_HOSTS does not list.');
}

function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === 'https:' ? 443 : 80));
}

/** Names that can only mean this machine (RFC 6761). */
function isOwnName(host: string): boolean {
  return /(^|\.)localhost\.?$/.test(host);
}

function bounded(answer: Response, maxBytes: number, heard: Bounds['heard']): Response {
  if (!answer.body) return answer;
  const { status, statusText, headers } = answer;
  return new Response(counted(answer.body, maxBytes, heard), { status, statusText, headers });
}

/** Counts what comes out of decompression: a small answer may unpack into a great one. */
async function* counted(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  heard: Bounds['heard'],
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new OutboundError('too_large', `Its answer is over ${maxBytes / 1024 / 1024} MiB.`);
    heard?.(chunk);
    yield chunk;
  }
}
