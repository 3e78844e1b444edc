import { once } from 'node:events';
import net from 'node:net';

export interface TcpProxy {
  port: number;
  /** Nothing gets through any more, and nobody is told: as when a network is cut or a machine hangs. */
  freeze(): void;
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
  const sockets = new Set<net.Socket>();
  let frozen = false;
  let refusing = false;
  let unanswered: string | undefined;
  let left = Infinity;
  const cut = () => {
    refusing = true;
    for (const socket of sockets) socket.destroy();
  };
  const server = net.createServer((near) => {
    if (refusing) return near.destroy();
    const far = net.connect(to);
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(into);
      from.on('error', () => into.destroy());
      from.on('close', () => {
        sockets.delete(from);
        into.destroy();
      });
      if (frozen) from.unpipe(into).pause();
      from.on('thaw', () => from.pipe(into));
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
    freeze: () => {
      frozen = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    thaw: () => {
      frozen = false;
      refusing = false;
      left = Infinity;
      for (const socket of sockets) socket.emit('thaw');
    },
    cut,
    cutAfter: (times) => (left = times),
    loseAnswerTo: (text) => (unanswered = text),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
