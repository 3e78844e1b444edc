import { PASSWORD } from './cast.js';

/** One of the people of the demo, over REST like anybody else. */
export class Player {
  private constructor(
    private readonly url: string,
    readonly name: string,
    readonly id: string,
    private token: string,
  ) {}

  /** Signs in, or makes the account where there is none. */
  static async called(url: string, name: string): Promise<Player> {
    const login = { login: name, password: PASSWORD };
    const account = { username: name, email: `${name}@example.org`, password: PASSWORD };
    const { user, accessToken } = await send<SignedIn>(url, 'POST', '/auth/login', login).catch(() =>
      send<SignedIn>(url, 'POST', '/auth/register', account),
    );
    return new Player(url, name, user.id, accessToken);
  }

  /** Throws where it is refused. An access token that has come to its end is replaced. */
  async call<Body>(method: string, path: string, body?: object): Promise<Body> {
    try {
      return await send<Body>(this.url, method, path, body, this.token);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      const login = { login: this.name, password: PASSWORD };
      this.token = (await send<SignedIn>(this.url, 'POST', '/auth/login', login)).accessToken;
      return send<Body>(this.url, method, path, body, this.token);
    }
  }

  say(room: string, content: string, more: { replyToId?: string } = {}): Promise<{ id: string }> {
    return this.call('POST', `/conversations/${room}/messages`, { content, ...more });
  }

  react(room: string, message: string, emoji: string): Promise<void> {
    return this.call('PUT', `/conversations/${room}/messages/${message}/reactions/${encodeURIComponent(emoji)}`);
  }
}

interface SignedIn {
  user: { id: string };
  accessToken: string;
}

class Refused extends Error {
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(`${status} ${text}`);
  }
}

async function send<Body>(url: string, method: string, path: string, body?: object, token?: string): Promise<Body> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Refused(response.status, text);
  return (text === '' ? undefined : JSON.parse(text)) as Body;
}
