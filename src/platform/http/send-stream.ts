import type { Response } from 'express';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hasCode } from '../error-code.js';

/** A reader that takes nothing for so long has gone. */
const IDLE_MS = 60_000;

/** Answers with all that the stream gives, at the reader's pace. One that leaves early is no error. */
export async function sendStream(stream: Readable, response: Response): Promise<void> {
  response.setTimeout(IDLE_MS, () => response.destroy());
  await pipeline(stream, response).catch((error: unknown) => {
    if (!hasCode(error, 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  });
}
