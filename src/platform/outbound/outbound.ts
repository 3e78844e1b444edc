import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher, request } from 'undici';
import type { Config } from '../config/config.js';
import { isPublicAddress } from './addresses.js';
import { allowsAddress, allowsName, withoutBrackets } from './allowed-hosts.js';
import { outboundError, OutboundError } from './outbound-error.js';

const CONNECT_MS = 10_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
/** An agent's answer comes in frames of some 300 bytes for each token. */
const MAX_STREAM_BYTES = 16 * MAX_ANSWER_BYTES;

/** All addresses of a name, as `dns.lookup` gives them. */
export type Lookup = (
  name: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface OutboundCall {
  method: 'GET' | 'POST';
  headers?: Record<string, string> | Iterable<[string, string]>;
  body?: string;
  signal?: AbortSignal;
}

/** An answer whose body is still to be read, or to be destroyed. */
export type OutboundAnswer = Pick<Dispatcher.ResponseData, 'headers' | 'body'> & { status: number; ok: boolean };

/**
 * Calls machines whose address somebody has typed in. Only the open internet and what OUTBOUND_ALLOWED_HOSTS names
 * is reached, judged by the address that is connected to: a name is looked up once for a connection, and the
 * connection goes to what was judged, so that a name which changes its address in between gains nothing.
 */
@Injectable()
export class Outbound implements OnApplicationShutdown {
  private readonly whole: Agent;
  private readonly streamed: Agent;

  constructor(
    private readonly config: Config,
    private readonly lookup: Lookup,
  ) {
    this.whole = this.agentFor(MAX_ANSWER_BYTES);
    this.streamed = this.agentFor(MAX_STREAM_BYTES);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.whole.destroy(), this.streamed.destroy()]);
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
   * For an answer of 1 MiB at most, within the time limit. Throws OutboundError, also from the answer's body (there as what undici
   * throws: see outboundError); what `signal` aborts rejects with its reason.
   */
  call(address: string, call: OutboundCall): Promise<OutboundAnswer> {
    const time = AbortSignal.timeout(this.config.agentTimeoutSeconds * 1000);
    const signal = call.signal ? AbortSignal.any([call.signal, time]) : time;
    return this.send(this.whole, address, { ...call, signal });
  }

  /** The same for an answer of 16 MiB at most that comes bit by bit: the time limit counts anew with each. */
  stream(address: string, call: OutboundCall): Promise<OutboundAnswer> {
    return this.send(this.streamed, address, call);
  }

  private async send(dispatcher: Agent, address: string, { signal, ...rest }: OutboundCall): Promise<OutboundAnswer> {
    const objection = this.objection(address);
    if (objection) throw new OutboundError('not_allowed', `The address ${objection}.`);
    try {
      const answer = await request(address, { ...rest, signal: signal ?? null, dispatcher });
      return taken(answer);
    } catch (error) {
      throw signal?.aborted && !isTimeLimit(signal.reason) ? signal.reason : outboundError(error);
    }
  }

  private agentFor(maxResponseSize: number): Agent {
    const limit = this.config.agentTimeoutSeconds * 1000;
    return new Agent({
      maxResponseSize,
      headersTimeout: limit,
      bodyTimeout: limit,
      connect: (options, callback) => this.connect(options, callback),
    });
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

/** Throws where an answer is not taken, whatever it holds. */
function taken({ statusCode: status, headers, body }: Dispatcher.ResponseData): OutboundAnswer {
  const redirected = status >= 300 && status < 400;
  // Compression was not offered, so that what is counted is what is kept in memory.
  const plain = (headers['content-encoding'] ?? 'identity') === 'identity';
  if (!redirected && plain) return { status, ok: status >= 200 && status < 300, headers, body };
  discard(body);
  throw redirected
    ? new OutboundError('redirected', 'It answers with a redirect, and redirects are not followed.')
    : new OutboundError('encoded', 'Its answer is compressed, which it was not asked for.');
}

/** Ends an answer that nobody reads. */
export function discard(body: OutboundAnswer['body']): void {
  body.on('error', () => undefined).destroy();
}

function isTimeLimit(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}
