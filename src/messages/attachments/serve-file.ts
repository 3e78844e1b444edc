import type { Request, Response } from 'express';
import { type FileName, type FileStore } from '../../platform/files/file-store.js';
import { Problem } from '../../platform/http/problem.js';
import { sendStream } from '../../platform/http/send-stream.js';
import type { AttachmentData } from '../message.entity.js';
import { isImage, mayBeInline } from './file-kind.js';
import { disposition } from './file-name.js';

/** Nothing in it runs, loads or sends anything, also when it is opened by itself. */
const SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

export interface Served {
  file: FileName;
  type: string;
  kind: 'inline' | 'attachment';
  name: string;
}

/** The file as it was sent. What a browser could take for a page is a download of bytes, whatever it says it is. */
export function original({ id, name, type, width }: AttachmentData): Served {
  const inline = mayBeInline(type) && (!isImage(type) || width !== null);
  return { file: id, name, kind: inline ? 'inline' : 'attachment', type: inline ? type : 'application/octet-stream' };
}

/** Answers with the file, or the one range of it that is asked for (RFC 9110). Throws 404, 416. */
export async function serveFile(
  files: FileStore,
  { file, type, kind, name }: Served,
  request: Request,
  response: Response,
): Promise<void> {
  const size = await files.sizeOf(file).catch(() => {
    throw Problem.notFound('This file');
  });
  const range = rangeOf(request, size);
  response.set({
    'Content-Type': type,
    'Content-Disposition': disposition(kind, name),
    'Content-Security-Policy': SANDBOX,
    'Cache-Control': 'private, no-store',
    'Accept-Ranges': 'bytes',
    'Content-Length': String(range ? range.end - range.start + 1 : size),
  });
  if (range) response.status(206).set('Content-Range', `bytes ${range.start}-${range.end}/${size}`);
  if (request.method === 'HEAD' || size === 0) return void response.end();
  await sendStream(files.read(file, range), response);
}

/** More than one range, one that makes no sense, or one of a HEAD, is answered with the whole. Without a start, it is the end of the file. */
function rangeOf(request: Request, size: number): { start: number; end: number } | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(request.headers.range ?? '') ?? [];
  if (request.method !== 'GET' || (first === '' && last === '')) return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start <= end) return { start, end };
  const headers = { 'Content-Range': `bytes */${size}` };
  throw new Problem(416, 'range_not_satisfiable', 'The file has no such part.', undefined, headers);
}
