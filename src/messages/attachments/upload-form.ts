import busboy from 'busboy';
import type { Request } from 'express';
import type { Readable } from 'node:stream';
import { Problem } from '../../platform/http/problem.js';

/** A sender from whom nothing has come for so long has gone. */
const IDLE_MS = 30_000;
const LINGER_MS = 2000;
const LOOK_MS = 10;
const LINGER_BYTES = 1024 * 1024;
/** What a form may take around its file. */
const FORM_BYTES = 64 * 1024;

/**
 * Reads a multipart form with one `file` and hands its bytes on to `write` as they come: nothing is kept in memory,
 * and what Content-Length says is believed only where it says that it is too much. Gives the name that the sender has
 * for it. Throws 400, 408, 413 or 415, or what `write` throws, once `write` has ended.
 */
export async function receiveFile(
  request: Request,
  maxBytes: number,
  write: (content: Readable) => Promise<void>,
): Promise<string | undefined> {
  const form = openForm(request, maxBytes);
  let writing: Promise<void> | undefined;
  let name: string | undefined;
  try {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes + FORM_BYTES) throw tooLarge(maxBytes);
    // Whoever left before now is heard no more.
    if (request.destroyed) throw malformed();
    await new Promise<void>((resolve, reject) => {
      form.on('file', (field, content, info) => {
        content.on('error', () => undefined);
        content.once('limit', () => content.destroy(tooLarge(maxBytes)));
        if (field !== 'file') {
          content.resume();
          return reject(onlyOneFile());
        }
        name = info.filename;
        writing = write(content);
        writing.catch(reject);
      });
      for (const event of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const)
        form.once(event, () => reject(onlyOneFile()));
      form.once('field', () => reject(onlyOneFile()));
      form.once('error', () => reject(malformed()));
      form.once('close', resolve);
      request.once('close', () => request.readableEnded || reject(malformed()));
      request.setTimeout(IDLE_MS, () => reject(new Problem(408, 'request_timeout', 'The upload has come to a stop.')));
      request.pipe(form);
    });
    if (!writing) throw onlyOneFile();
    await writing;
    return name;
  } catch (error) {
    request.unpipe(form);
    form.destroy();
    turnAway(request);
    await writing?.catch(() => undefined);
    throw error;
  } finally {
    request.setTimeout(0);
  }
}

function openForm(request: Request, maxBytes: number): busboy.Busboy {
  if (!request.is('multipart/form-data')) {
    turnAway(request);
    throw new Problem(415, 'unsupported_media_type', 'A file is sent as multipart/form-data.');
  }
  const limits = { files: 1, fields: 1, parts: 2, fileSize: maxBytes + 1, fieldSize: 1024, headerPairs: 20 };
  try {
    // One that is destroyed before it was read says so by an error, which nobody need hear.
    return busboy({ headers: request.headers, defParamCharset: 'utf8', limits }).on('error', () => undefined);
  } catch {
    turnAway(request);
    throw malformed();
  }
}

/**
 * Five gigabytes are not waited for. Once the answer is out a little more is read, so that a small rest does not cost
 * the connection; then nothing is, and the sender has time to read why before the connection ends.
 */
function turnAway(request: Request): void {
  request.pause();
  request.res?.once('finish', () => {
    const { socket } = request;
    const [until, most] = [Date.now() + LINGER_MS, socket.bytesRead + LINGER_BYTES];
    request.resume();
    const timer = setInterval(() => {
      if (socket.bytesRead > most) socket.pause();
      if (!request.complete && Date.now() < until) return;
      clearInterval(timer);
      if (!request.complete) socket.destroy();
    }, LOOK_MS).unref();
  });
}

function tooLarge(maxBytes: number): Problem {
  return new Problem(413, 'payload_too_large', `A file may have ${Math.floor(maxBytes / 1024 / 1024)} MiB at most.`);
}

function onlyOneFile(): Problem {
  return Problem.invalid('file', 'must be the one part of the form, and a file');
}

function malformed(): Problem {
  return new Problem(400, 'malformed_form', 'The form is not complete, or no multipart/form-data.');
}
