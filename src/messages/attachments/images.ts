import { Injectable, Logger } from '@nestjs/common';
import pLimit from 'p-limit';
import sharp from 'sharp';

/** A few kilobytes can claim gigabytes of pixels. */
const MAX_PIXELS = 50_000_000;
const THUMBNAIL = 400;
const SECONDS = 10;

/** One after the other, in one thread each: pictures must not take the processor from messages. */
sharp.concurrency(1);
sharp.cache(false);

export interface Seen {
  width: number;
  height: number;
  /** WebP. */
  thumbnail: Buffer;
}

/** Looks at pictures that came from outside. */
@Injectable()
export class Images {
  private readonly logger = new Logger(Images.name);
  private readonly line = pLimit(1);

  /**
   * Gives the size as it is seen and a thumbnail, or nothing where it cannot be decoded, has too many pixels or takes
   * too long: then it is a file like any other, and no browser is asked to show it either.
   */
  look(file: string): Promise<Seen | undefined> {
    return this.line(async () => {
      try {
        const { autoOrient } = await sharp(file, { limitInputPixels: MAX_PIXELS }).metadata();
        return { width: autoOrient.width, height: autoOrient.height, thumbnail: await thumbnailOf(file) };
      } catch (error) {
        this.logger.debug({ err: error as Error }, 'a picture cannot be shown');
        return undefined;
      }
    });
  }
}

function thumbnailOf(file: string): Promise<Buffer> {
  return sharp(file, { limitInputPixels: MAX_PIXELS, sequentialRead: true })
    .timeout({ seconds: SECONDS })
    .autoOrient()
    .resize(THUMBNAIL, THUMBNAIL, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 75 })
    .toBuffer();
}
