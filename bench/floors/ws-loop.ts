import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Neighbourhood } from '../support/neighbourhood.js';

/**
 * The floor of fan-out: parses, stringifies once, sends to each, acknowledges. No database, no sign-in. Everybody hears
 * everything, until rooms are posted: then whoever says `bearer.<place>` hears those that have this place as a member.
 */
const sockets = new Set<WebSocket>();
let posted: Neighbourhood['rooms'] = [];
const rooms = new Map<string, Set<WebSocket>>();
const server = createServer((request, response) => {
  if (request.method !== 'POST') return void response.end('ok');
  void json(request).then((given) => {
    posted = given as Neighbourhood['rooms'];
    response.end('ok');
  });
});
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket, request) => {
  const place = Number(request.headers['sec-websocket-protocol']?.split('bearer.')[1]);
  const own = posted.filter(({ members }) => members.includes(place));
  sockets.add(socket);
  for (const { id } of own) rooms.set(id, (rooms.get(id) ?? new Set()).add(socket));
  socket.on('close', () => {
    sockets.delete(socket);
    for (const { id } of own) rooms.get(id)?.delete(socket);
  });
  socket.on('message', (data: Buffer) => {
    const { ref, conversationId = '', content } = JSON.parse(data.toString()) as Record<string, string>;
    const message = { id: ref, conversationId, content, createdAt: new Date().toISOString() };
    const text = JSON.stringify({ type: 'message.created', conversationId, message });
    for (const each of rooms.get(conversationId) ?? sockets) each.send(text);
    socket.send(JSON.stringify({ type: 'ack', ref, message }));
  });
  socket.send(JSON.stringify({ type: 'ready' }));
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
