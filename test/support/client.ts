import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface Answer<T = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: T;
}

export interface SignedIn {
  user: { id: string; username: string };
  accessToken: string;
  refreshToken: string;
}

/** Calls the app as a program outside would. */
export class Client {
  constructor(readonly url: string) {}

  async call<T = Record<string, unknown>>(
    method: string,
    path: string,
    {
      body,
      token,
      headers = {},
    }: { body?: unknown; token?: string | undefined; headers?: Record<string, string> } = {},
  ): Promise<Answer<T>> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json$|json;/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as T };
  }

  /** Registers somebody new; throws unless that works. */
  async register(username: string, password = 'correct horse battery'): Promise<SignedIn> {
    const body = { username, email: `${username}@example.org`, password };
    const answer = await this.call<SignedIn>('POST', '/auth/register', { body });
    if (answer.status !== 201) throw new Error(`register: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  login(login: string, password: string, more: Record<string, unknown> = {}): Promise<Answer<SignedIn>> {
    return this.call<SignedIn>('POST', '/auth/login', { body: { login, password, ...more } });
  }

  /** Opens a realtime socket; the socket is given once it is open, the code once it is refused. */
  async socket(token: string | undefined, query = ''): Promise<WebSocket | number> {
    const address = `${this.url.replace('http', 'ws')}/api/v1/realtime${query}`;
    const socket = new WebSocket(address, token ? { headers: { Authorization: `Bearer ${token}` } } : {});
    const opened = once(socket, 'message').then(() => socket);
    const refused = once(socket, 'unexpected-response').then(([, response]) => {
      socket.on('error', () => undefined);
      socket.terminate();
      return (response as { statusCode: number }).statusCode;
    });
    return Promise.race([opened, refused]);
  }
}

/** The code that a socket is closed with. */
export async function closeCode(socket: WebSocket | number): Promise<number> {
  if (typeof socket === 'number') throw new Error(`The socket was refused with ${socket}.`);
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}
