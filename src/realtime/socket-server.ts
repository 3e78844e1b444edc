import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Express } from 'express';
import type { IncomingMessage, Server } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import proxyAddress from 'proxy-addr';
import { type WebSocket, WebSocketServer } from 'ws';
import { ConversationCreated } from '../conversations/conversations.events.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { Problem } from '../platform/http/problem.js';
import { problemOf } from '../platform/http/problem.filter.js';
import { GeneralLimit } from '../platform/limits/general-limit.js';
import { LiveReplies } from '../sessions/replies/live-replies.js';
import { MessageDelta } from '../sessions/replies/replies.events.js';
import { Admission } from './admission.js';
import { Attendance } from './attendance.js';
import { CLOSE } from './close-codes.js';
import { Connection, type Dialect } from './connection.js';
import { drain } from './drain.js';
import { SUBPROTOCOL, type Welcome } from './handshake.js';
import { beat, BEAT_MS } from './heartbeat.js';
import { Hub } from './hub.js';
import { LoginWatch } from './login-watch.js';
import { RoomOrder } from './room-order.js';
import { Presence } from './presence.js';
import { Typing } from './typing.js';

const MAX_FRAME_BYTES = 64 * 1024;
/** A larger frame is not even read to its end: ws closes with 1009. */
const HARD_FRAME_BYTES = 1024 * 1024;

export interface Endpoint {
  path: string;
  dialect: Dialect;
  /** Throws a Problem where the socket is refused. */
  welcome(request: IncomingMessage): Promise<Welcome>;
}

/** Opens sockets on the app's own HTTP server and keeps them alive. What they say goes to their dialect. */
@Injectable()
export class SocketServer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(SocketServer.name);
  private readonly endpoints = new Map<string, Endpoint>();
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: HARD_FRAME_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  private heartbeat: NodeJS.Timeout | undefined;
  private stopping = false;

  constructor(
    private readonly adapter: HttpAdapterHost,
    private readonly hub: Hub,
    private readonly conversations: ConversationsService,
    private readonly replies: LiveReplies,
    private readonly limit: GeneralLimit,
    private readonly admission: Admission,
    private readonly attendance: Attendance,
    private readonly order: RoomOrder,
    private readonly typing: Typing,
    private readonly presence: Presence,
    private readonly logins: LoginWatch,
  ) {}

  register(endpoint: Endpoint): void {
    this.endpoints.set(endpoint.path, endpoint);
  }

  onApplicationBootstrap(): void {
    const server = this.adapter.httpAdapter.getHttpServer() as Server;
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void this.upgrade(request, socket, head);
    });
    this.heartbeat = setInterval(() => beat(this.hub.connections), BEAT_MS).unref();
  }

  /** Lets everyone know that they should come back, not all at once, after what they sent is done. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    clearInterval(this.heartbeat);
    await drain([...this.hub.connections]);
  }

  private async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      const endpoint = this.endpoints.get(pathOf(request));
      if (!endpoint) throw Problem.notFound('This socket');
      if (this.stopping) throw Problem.unavailable();
      await this.limit.admit(this.addressOf(request));
      const welcome = await endpoint.welcome(request);
      // Since it was asked for: what is opened now would be told nothing of the end.
      if (this.stopping) throw Problem.unavailable();
      this.admission.check(welcome.actor.userId);
      this.sockets.handleUpgrade(request, socket, head, (ws) => void this.open(ws, socket, endpoint, welcome));
    } catch (error) {
      refuse(socket, problemOf(error));
    }
  }

  /** As express finds it for requests: believing only the proxies that TRUST_PROXY names. */
  private addressOf(request: IncomingMessage): string {
    const app = this.adapter.httpAdapter.getInstance<Express>();
    return proxyAddress(request, app.get('trust proxy fn') as Parameters<typeof proxyAddress>[1]);
  }

  private async open(ws: WebSocket, socket: Duplex, { dialect }: Endpoint, welcome: Welcome): Promise<void> {
    const connection = new Connection(ws, socket, welcome.actor, dialect, this.hub.flushSoon);
    this.hub.add(connection);
    ws.on('close', (code) => {
      this.hub.remove(connection, code);
      this.typing.left(connection);
      this.presence.left(connection);
    });
    ws.on('error', () => ws.terminate());
    ws.on('pong', () => (connection.unansweredPings = 0));
    const ready = this.greet(connection);
    let line = ready;
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      connection.unansweredPings = 0;
      line = this.receive(connection, line, data, isBinary);
    });
    connection.expireAt(welcome.expiresAt);
    await ready;
  }

  /** Listens first and reads then, so that nothing falls between; what is heard meanwhile waits in the connection. */
  private async greet(connection: Connection): Promise<void> {
    const { userId } = connection.actor;
    try {
      this.hub.subscribe(connection, `user:${userId}`);
      if (connection.actor.isAdvocate) this.hub.subscribe(connection, 'advocates');
      const [serverIds, told, chosen] = await Promise.all([
        this.conversations.serversOf(userId),
        this.replies.toldTo(userId),
        this.presence.chosenBy(userId),
        // It may have ended after it was looked at for the handshake, before anything here listened for that.
        this.logins.refresh(connection),
      ]);
      for (const id of serverIds) {
        if (!connection.lost.has(`server:${id}`) && !connection.isClosed)
          this.hub.subscribe(connection, `server:${id}`);
      }
      const states = await this.conversations.statesOf(userId);
      for (const state of states) this.attendance.learn(state, userId);
      if (!connection.isClosed) this.presence.came(connection, chosen);
      for (const { id, rev, lastSeq } of states) this.order.told(connection, id, rev, lastSeq);
      const heads = new Map(states.map((state) => [state.id, state]));
      const greet = () => {
        connection.dialect.greet(connection, states);
        for (const delta of told) this.hub.tell(connection, MessageDelta([], delta));
      };
      connection.open(greet, heads, (conversation) =>
        this.hub.tell(connection, ConversationCreated([], { conversation })),
      );
      if (connection.lost.size > 0) this.attendance.confirm(userId);
    } catch (error) {
      this.logger.error({ err: error as Error }, 'a socket could not be opened');
      connection.close(CLOSE.internal, 'internal error');
    }
  }

  /** One frame after the other, so that what is sent first is stored first. */
  private receive(connection: Connection, line: Promise<void>, data: Buffer, isBinary: boolean): Promise<void> {
    const { length } = data;
    connection.intake.begun(length);
    return line.then(() => this.handle(connection, data, isBinary)).finally(() => connection.intake.settled(length));
  }

  private async handle(connection: Connection, data: Buffer, isBinary: boolean): Promise<void> {
    if (connection.isClosed) return;
    if (isBinary) connection.dialect.refuse(connection, 'binary_frame', 'Only text frames are understood.');
    else if (data.length > MAX_FRAME_BYTES)
      connection.dialect.refuse(connection, 'frame_too_large', 'A frame holds 64 KiB at most.');
    else await connection.dialect.receive(connection, data.toString('utf8'));
  }
}

/** Of what is no address, such as `//`, nothing: there is no socket either. */
function pathOf({ url = '/' }: IncomingMessage): string {
  return URL.canParse(url, 'http://parley') ? new URL(url, 'http://parley').pathname : '';
}

/**
 * Answers an upgrade that is refused as plain HTTP, with the same problem body as everywhere. The server has let go of
 * this connection and looks after it no more: whoever keeps their side open would keep it for ever.
 */
function refuse(socket: Duplex, { status, code, detail }: Problem): void {
  const title = STATUS_CODES[status] ?? 'Error';
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, code });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
