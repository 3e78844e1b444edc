import { fileTypeFromFile } from 'file-type';
import { open } from 'node:fs/promises';

/** What a browser may show by itself. SVG, HTML, XML and PDF can hold script, so they are only ever downloaded. */
const INLINE = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'video/mp4',
  'video/webm',
  'audio/mpeg',
  'audio/ogg',
  'audio/wav',
  'audio/mp4',
]);

/** Of those that are shown: what is decoded here, for its size and thumbnail. */
const IMAGES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

const UNKNOWN = 'application/octet-stream';
const HEAD = 4100;

export function mayBeInline(type: string): boolean {
  return INLINE.has(type);
}

export function isImage(type: string): boolean {
  return IMAGES.has(type);
}

/** What the file is by its content, whatever it is called or was declared as. */
export async function typeOf(file: string): Promise<string> {
  const known = await fileTypeFromFile(file).catch(() => undefined);
  if (known) return known.mime === 'audio/x-m4a' ? 'audio/mp4' : known.mime;
  return typeOfText(await headOf(file));
}

async function headOf(file: string): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Text has no signature. What it says it is, is told to people; it is served as a download in any case. */
function typeOfText(head: Buffer): string {
  const text = decoded(head);
  if (text === undefined) return UNKNOWN;
  if (/<svg[\s>]/i.test(text)) return 'image/svg+xml';
  if (/<(!doctype html|html|head|body|script|iframe|img|a)[\s>]/i.test(text)) return 'text/html';
  return 'text/plain';
}

function decoded(head: Buffer): string | undefined {
  try {
    // `stream`: the last character may be cut.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return /[\x00-\x08\x0e-\x1f]/.test(text) ? undefined : text; // eslint-disable-line no-control-regex
  } catch {
    return undefined;
  }
}
