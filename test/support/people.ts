import { WebSocket } from 'ws';
import { randomBytes } from 'node:crypto';
import { runCommand } from './run-app.js';

export interface Answer<Body = any> {
  status: number;
  headers: Headers;
  body: Body;
}

export interface Frame {
  type: string;
  [field: string]: any;
}

type Options = { headers?: Record<string, string> };

/** One HTTP call with a JSON body or a raw text; the answer's JSON is parsed. */
export async function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  { headers = {} }: Options = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /[/+]json(;|$)/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** Somebody with an account, who calls the API under /api/v1 and opens sockets. */
export class Person {
  constructor(
    readonly url: string,
    readonly name: string,
    readonly password: string,
    readonly id: string,
    public token: string,
  ) {}

  get = (path: string) => this.call('GET', path);
  post = (path: string, body: unknown = {}) => this.call('POST', path, body);
  put = (path: string, body: unknown = {}) => this.call('PUT', path, body);
  patch = (path: string, body: unknown = {}) => this.call('PATCH', path, body);
  delete = (path: string) => this.call('DELETE', path);

  call(method: string, path: string, body?: unknown): Promise<Answer> {
    return call(this.url, method, `/api/v1${path}`, body, { headers: { authorization: `Bearer ${this.token}` } });
  }

  /** As a client of an old system calls, at the root. */
  old(method: string, path: string, body?: unknown): Promise<Answer> {
    return call(this.url, method, path, body, { headers: { authorization: `Bearer ${this.token}` } });
  }

  /** Sends over REST and gives the stored message; throws where it is refused. */
  async say(conversationId: string, content: string, nonce?: string): Promise<any> {
    const { status, body } = await this.post(`/conversations/${conversationId}/messages`, { content, nonce });
    if (status !== 201 && status !== 200) throw new Error(`refused: ${JSON.stringify(body)}`);
    return body;
  }

  /** What the export of their account holds of this type. */
  async exported(type: string): Promise<any[]> {
    const { body } = await this.get('/users/me/export');
    const lines: string[] = body.trim().split('\n');
    return lines.map((line) => JSON.parse(line)).filter((item) => item.type === type);
  }

  /** A socket of the realtime protocol, after its `ready`. */
  async socket(): Promise<Socket> {
    const socket = await openSocket(this.url, '/api/v1/realtime', ['parley.v1', `bearer.${this.token}`]);
    await socket.next('ready');
    return socket;
  }
}

/** Registers somebody under this name and a random ending. */
export async function person(url: string, name: string): Promise<Person> {
  const username = `${name}_${randomBytes(4).toString('hex')}`;
  const password = `${name} has a long password`;
  const { status, body } = await call(url, 'POST', '/api/v1/auth/register', {
    username,
    email: `${username}@example.org`,
    password,
  });
  if (status !== 201) throw new Error(`cannot register: ${JSON.stringify(body)}`);
  return new Person(url, username, password, body.user.id, body.accessToken);
}

/** Somebody whom the command line has made an administrator. `env` is that of the app. */
export async function administrator(url: string, env: Record<string, string>): Promise<Person> {
  const root = await person(url, 'root');
  await runCommand(['dist/src/operations/cli/admin.js', 'user:promote', root.name], env);
  while ((await root.get('/admin/users')).status !== 200);
  return root;
}

/** The same account, signed in anew at this address. */
export async function signedInAgain({ name, password, id }: Person, url: string): Promise<Person> {
  const { status, body } = await call(url, 'POST', '/api/v1/auth/login', { login: name, password });
  if (status !== 200) throw new Error(`cannot sign in: ${JSON.stringify(body)}`);
  return new Person(url, name, password, id, body.accessToken);
}

/** A server of `owner` with these members; gives its id and that of its `general` channel. */
export async function serverOf(owner: Person, ...members: Person[]): Promise<{ id: string; general: string }> {
  const { body } = await owner.post('/servers', { name: 'A server' });
  for (const { id } of members) await owner.post(`/servers/${body.id}/members`, { userId: id });
  return { id: body.id, general: body.channels[0].id };
}

/** A socket that keeps all it has heard, and waits for frames by what they say. */
export class Socket {
  readonly heard: Frame[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  private waiting: (() => void)[] = [];

  constructor(readonly ws: WebSocket) {
    ws.on('message', (data: Buffer) => {
      this.heard.push(JSON.parse(data.toString()) as Frame);
      this.waiting.splice(0).forEach((look) => look());
    });
    this.closed = new Promise((resolve) =>
      ws.once('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.waiting.splice(0).forEach((look) => look());
      }),
    );
  }

  send(frame: object | string): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The first frame, heard or to come, that is of this type or fits; throws where the socket closes before. */
  async next(wanted: string | ((frame: Frame) => boolean)): Promise<Frame> {
    const fits = typeof wanted === 'string' ? (frame: Frame) => frame.type === wanted : wanted;
    for (let from = 0; ;) {
      const found = this.heard.slice(from).find(fits);
      if (found) return found;
      from = this.heard.length;
      if (this.ws.readyState === WebSocket.CLOSED) throw new Error(`closed before ${String(wanted)}`);
      await new Promise<void>((look) => this.waiting.push(look));
    }
  }

  /** Sends with a ref of its own; gives the frame that answers it. */
  async ask(frame: object): Promise<Frame> {
    const ref = randomBytes(6).toString('hex');
    this.send({ ...frame, ref });
    return this.next((answer) => answer.ref === ref);
  }

  /** Everything that was on its way when this was called has been heard when it returns. */
  async settle(): Promise<void> {
    const pongs = this.heard.filter(({ type }) => type === 'pong').length;
    this.send({ type: 'ping' });
    await this.next(
      (frame) => frame.type === 'pong' && this.heard.filter(({ type }) => type === 'pong').length > pongs,
    );
  }

  of(type: string): Frame[] {
    return this.heard.filter((frame) => frame.type === type);
  }

  close(): void {
    this.ws.close();
  }
}

/** Opens a socket; throws with the HTTP status in its message where the handshake is refused. */
export function openSocket(url: string, path: string, protocols: string[] = [], options = {}): Promise<Socket> {
  const ws = new WebSocket(url.replace('http', 'ws') + path, protocols, options);
  const socket = new Socket(ws);
  return new Promise((resolve, reject) => {
    ws.once('open', () => resolve(socket));
    ws.once('error', reject);
  });
}
