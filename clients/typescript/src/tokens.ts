export interface TokenPair {
  accessToken: string;
  refreshToken: string;
  /** Seconds that the access token is good for. */
  expiresIn: number;
}

/** A token that has less of its life left than this is exchanged before it is used. */
const FRESH_PART = 0.2;

/** Holds the tokens of a login and exchanges them in time; several callers at once make one exchange. */
export class Tokens {
  private renewing: Promise<string> | undefined;
  private staleAt = 0;

  constructor(
    private pair: TokenPair,
    private readonly exchange: (refreshToken: string) => Promise<TokenPair>,
    /** Told of each new pair: a refresh token works once, so the newest must be kept. */
    private readonly onChange: (pair: TokenPair) => void = () => undefined,
  ) {
    this.take(pair);
  }

  /** A token that is good for a while yet. */
  async access(): Promise<string> {
    return Date.now() < this.staleAt ? this.pair.accessToken : this.renew();
  }

  /** Milliseconds until the token ought to be exchanged. */
  get freshFor(): number {
    return Math.max(0, this.staleAt - Date.now());
  }

  get refreshToken(): string {
    return this.pair.refreshToken;
  }

  renew(): Promise<string> {
    this.renewing ??= this.exchange(this.pair.refreshToken)
      .then((pair) => {
        this.take(pair);
        this.onChange(pair);
        return pair.accessToken;
      })
      .finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  private take(pair: TokenPair): void {
    this.pair = pair;
    this.staleAt = Date.now() + pair.expiresIn * 1000 * (1 - FRESH_PART);
  }
}
