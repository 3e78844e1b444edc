import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

const PING = 0x9;
/** Masked, and empty as the pings are. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/**
 * A listener that costs next to nothing: a WebSocket handshake by hand, then the frames are counted by their headers
 * (RFC 6455, section 5.2) and not read. Resolves with the first frame; after it each payload goes to `heard`.
 */
export function listenRaw(url: string, token: string, heard: (payload: Buffer) => void): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).setNoDelay();
  const protocol = token === '' ? '' : `Sec-WebSocket-Protocol: parley.v1, bearer.${token}\r\n`;
  socket.write(
    `GET /api/v1/realtime HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n${protocol}\r\n`,
  );
  return new Promise((resolve, reject) => {
    let upgraded = false;
    let ready = false;
    let rest: Buffer = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      if (!upgraded) {
        const end = rest.indexOf('\r\n\r\n');
        if (end < 0) return;
        if (!rest.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101')))
          reject(new Error(rest.subarray(0, 40).toString()));
        upgraded = true;
        rest = rest.subarray(end + 4);
      }
      rest = takeFrames(rest, (payload, opcode) => {
        if (opcode === PING) socket.write(PONG);
        else if (ready) heard(payload);
        else {
          ready = true;
          resolve(socket);
        }
      });
    });
  });
}

/** A client's frame must be masked; a mask of zeros leaves the text as it is. */
export function sendRaw(socket: Socket, text: string): void {
  const payload = Buffer.from(text);
  const header =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0])
      : Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]);
  socket.write(Buffer.concat([header, payload]));
}

/** Calls `heard` for each whole frame; gives what is left of the next one. */
function takeFrames(buffer: Buffer, heard: (payload: Buffer, opcode: number) => void): Buffer {
  let at = 0;
  while (buffer.length >= at + 2) {
    const short = (buffer[at + 1] as number) & 0x7f;
    const header = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (buffer.length < at + header) break;
    const length =
      short === 127 ? Number(buffer.readBigUInt64BE(at + 2)) : short === 126 ? buffer.readUInt16BE(at + 2) : short;
    if (buffer.length < at + header + length) break;
    heard(buffer.subarray(at + header, at + header + length), (buffer[at] as number) & 0x0f);
    at += header + length;
  }
  return at === buffer.length ? Buffer.alloc(0) : buffer.subarray(at);
}
