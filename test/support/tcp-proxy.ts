import { once } from 'node:events';
import net from 'node:net';

/** What the app says, what it is told, or both. */
export type Way = 'out' | 'in' | 'both';

export interface TcpProxy {
  port: number;
  /** Nothing gets through this way any more, and nobody is told: as when a network is cut or a machine hangs. */
  freeze(way?: Way): void;
  thaw(): void;
  /** Ends every connection, and refuses new ones until `thaw`. */
  cut(): void;
  /** Once: what the app sends with this text in it gets through, and its answer does not; the connection ends with it. */
  loseAnswerTo(text: string): void;
  /** The same, when the app has sent so many times from now on. */
  cutAfter(times: number): void;
  stop(): Promise<void>;
}

/** Stands between the app and a server of the tests. */
export async function startProxy(to: { host: string; port: number }): Promise<TcpProxy> {
  /** Each end, with the way that goes what it says. */
  const sockets = new Map<net.Socket, Way>();
  let frozen: Way | undefined;
  const isFrozen = (way: Way) => frozen === 'both' || frozen === way;
  let refusing = false;
  let unanswered: string | undefined;
  let left = Infinity;
  const cut = () => {
    refusing = true;
    for (const socket of sockets.keys()) socket.destroy();
  };
  const server = net.createServer((near) => {
    if (refusing) return near.destroy();
    const far = net.connect(to);
    for (const [from, into, way] of [
      [near, far, 'out'],
      [far, near, 'in'],
    ] as const) {
      sockets.set(from, way);
      from.pipe(into);
      from.on('error', () => into.destroy());
      from.on('close', () => {
        sockets.delete(from);
        into.destroy();
      });
      if (isFrozen(way)) from.unpipe(into).pause();
      from.on('thaw', () => from.unpipe(into).pipe(into));
    }
    near.on('data', (chunk: Buffer) => {
      left -= 1;
      if (left === 0) return cut();
      if (unanswered === undefined || !chunk.includes(unanswered)) return;
      unanswered = undefined;
      far
        .unpipe(near)
        .once('data', () => near.destroy())
        .resume();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    freeze: (way = 'both') => {
      frozen = way;
      for (const [socket, goes] of sockets) if (isFrozen(goes)) socket.unpipe().pause();
    },
    thaw: () => {
      frozen = undefined;
      refusing = false;
      left = Infinity;
      for (const socket of sockets.keys()) socket.emit('thaw');
    },
    cut,
    cutAfter: (times) => (left = times),
    loseAnswerTo: (text) => (unanswered = text),
    stop: async () => {
      for (const socket of sockets.keys()) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
