import { createServer, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

const PER_SECOND = 30;

/** A model that says a word 30 times a second, for as many seconds as the last line that it is sent names. */
createServer((request, response) => {
  if (request.method === 'GET') response.end();
  else void text(request).then((body) => speak(response, secondsIn(body)));
}).listen(Number(process.env.PORT), '127.0.0.1');

function secondsIn(body: string): number {
  const { messages } = JSON.parse(body) as { messages: { content: string }[] };
  return Number(messages.at(-1)?.content);
}

function speak(response: ServerResponse, seconds: number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const began = performance.now();
  let said = 0;
  const timer = setInterval(() => {
    const due = Math.min((performance.now() - began) / 1000, seconds) * PER_SECOND;
    for (; said < due; said += 1) response.write(piece({ content: 'words ' }));
    if (said < seconds * PER_SECOND) return;
    clearInterval(timer);
    response.end(`${piece({}, 'stop')}data: [DONE]\n\n`);
  }, 1000 / PER_SECOND);
  response.on('close', () => clearInterval(timer));
}

/** As long as a real one's, ids and all. */
function piece(delta: object, finish: string | null = null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  const about = { id: 'chatcmpl-0123456789abcdef0123456789', object: 'chat.completion.chunk', created: 1790000000 };
  return `data: ${JSON.stringify({ ...about, model: 'bench-1', system_fingerprint: 'fp_0123456789', choices })}\n\n`;
}
