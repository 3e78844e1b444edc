import { createServer } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';

/** The floor of fan-out: parses, stringifies once, sends to each, acknowledges. No database, no sign-in. */
const sockets = new Set<WebSocket>();
const server = createServer((_request, response) => response.end('ok'));
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  socket.on('message', (data: Buffer) => {
    const { ref, conversationId, content } = JSON.parse(data.toString()) as Record<string, string>;
    const message = { id: ref, conversationId, content, createdAt: new Date().toISOString() };
    const text = JSON.stringify({ type: 'message.created', conversationId, message });
    for (const each of sockets) each.send(text);
    socket.send(JSON.stringify({ type: 'ack', ref, message }));
  });
  socket.send(JSON.stringify({ type: 'ready' }));
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
