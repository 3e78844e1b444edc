import createClient, { type Client } from 'openapi-fetch';
import { Realtime, type RealtimeOptions, SignedOutError } from './realtime.js';
import type { components, paths } from './schema.js';
import { type TokenPair, Tokens } from './tokens.js';

export type Account = components['schemas']['Account'];

export interface ParleyOptions {
  /** Where the server is, such as `https://chat.example`. */
  url: string;
  fetch?: typeof globalThis.fetch | undefined;
  /** Told of each new pair of tokens, to be kept: a refresh token works once. */
  onTokens?: ((pair: TokenPair) => void) | undefined;
}

/** A refusal of a call: a problem of RFC 9457. */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<components['schemas']['Problem']>,
  ) {
    super(problem.detail ?? `The server answered ${status}.`);
    this.name = 'ProblemError';
  }

  get code(): string | undefined {
    return this.problem.code;
  }
}

/** One login at one server. */
export class Parley {
  /** Every call of the REST API, typed; the token is added, and exchanged in time. */
  readonly api: Client<paths>;
  private tokens: Tokens | undefined;

  constructor(private readonly options: ParleyOptions) {
    const { url, fetch } = options;
    this.api = createClient<paths>({ baseUrl: url, ...(fetch && { fetch }) });
    this.api.use({
      onRequest: async ({ request, schemaPath }) => {
        if (this.tokens && !WITHOUT_TOKEN.has(schemaPath)) {
          request.headers.set('Authorization', `Bearer ${await this.tokens.access()}`);
        }
        return request;
      },
    });
  }

  /** Throws ProblemError. */
  async register(body: components['schemas']['RegisterBody']): Promise<Account> {
    return this.enter(await this.api.POST('/api/v1/auth/register', { body }));
  }

  /** Throws ProblemError: 401 for a wrong password, with `code` `second_factor_needed` where one is asked for. */
  async signIn(body: components['schemas']['LoginBody']): Promise<Account> {
    return this.enter(await this.api.POST('/api/v1/auth/login', { body }));
  }

  /** Goes on with tokens that were kept. */
  resume(pair: TokenPair): void {
    this.tokens = new Tokens(pair, (refreshToken) => this.exchange(refreshToken), this.options.onTokens);
  }

  /** Ends this login on the server, its sockets included. */
  async signOut(): Promise<void> {
    await this.api.POST('/api/v1/auth/logout');
    this.tokens = undefined;
  }

  /** A connection of this login; call its `connect`. */
  realtime(options: Pick<RealtimeOptions, 'WebSocket' | 'revs'> = {}): Realtime {
    return new Realtime({
      ...options,
      address: () => this.socketAddress(),
      token: async () => {
        const tokens = this.mustBeSignedIn();
        return { token: await tokens.access(), freshFor: tokens.freshFor };
      },
    });
  }

  private async socketAddress(): Promise<string> {
    this.mustBeSignedIn();
    const { data, response } = await this.api.POST('/api/v1/auth/tickets');
    if (response.status === 401) throw new SignedOutError('This login has ended.');
    if (!data) throw new ProblemError(response.status, {});
    const address = new URL('/api/v1/realtime', this.options.url);
    address.protocol = address.protocol.replace('http', 'ws');
    address.searchParams.set('ticket', data.ticket);
    return address.href;
  }

  private async exchange(refreshToken: string): Promise<TokenPair> {
    const { data, error, response } = await this.api.POST('/api/v1/auth/refresh', { body: { refreshToken } });
    if (response.status === 401) throw new SignedOutError('This login has ended.');
    if (!data) throw new ProblemError(response.status, error ?? {});
    return data;
  }

  private enter({ data, error, response }: Entered): Account {
    if (!data) throw new ProblemError(response.status, error ?? {});
    this.resume(data);
    this.options.onTokens?.(data);
    return data.user;
  }

  private mustBeSignedIn(): Tokens {
    if (!this.tokens) throw new SignedOutError('Nobody is signed in.');
    return this.tokens;
  }
}

/** They would wait for themselves, or need none. */
const WITHOUT_TOKEN = new Set(['/api/v1/auth/refresh', '/api/v1/auth/login', '/api/v1/auth/register']);

interface Entered {
  data?: components['schemas']['SignedInAnswer'];
  error?: Partial<components['schemas']['Problem']>;
  response: Response;
}
