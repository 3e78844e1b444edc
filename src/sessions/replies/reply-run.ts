import { MAX_CONTENT } from '../../messages/messages.dto.js';
import type { TakenReply } from './reply-store.js';

/**
 * Pieces that come faster than this go out together: nobody reads single words, and each frame costs. The more replies
 * are given at once, the more is said in one frame.
 */
const FASTEST_MS = 40;
const SLOWEST_MS = 100;

export function paceAmong(replies: number): number {
  return Math.min(FASTEST_MS + replies, SLOWEST_MS);
}

/** Why an attempt ends before its answer does. */
export type Leaving = 'stopped' | 'lost' | 'late' | 'handed_back';

/** One attempt at a reply, in the memory of the node that runs it: what was said so far, and what became known of it. */
export class ReplyRun {
  text = '';
  tokensUsed = 0;
  /** More was said than a message holds. */
  cut = false;
  left: Leaving | undefined;
  private readonly controller = new AbortController();
  /** Of the text, in characters: what a message holds is counted so. */
  private length = 0;
  private half = '';
  private published = 0;
  private saved = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    readonly reply: TakenReply,
    private readonly publish: (at: number, text: string) => void,
    /** In milliseconds between what is told. */
    private readonly pace: () => number,
  ) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** What clients have been told: what they are told next begins where it ends. */
  get known(): string {
    return this.text.slice(0, this.published);
  }

  /** Takes the next piece. White space before the first word is dropped, so that positions are those of the message. */
  add(piece: string): void {
    if (this.controller.signal.aborted || this.cut) return;
    const whole = this.half + piece;
    const split = /[\uD800-\uDBFF]$/.test(whole) ? whole.length - 1 : whole.length;
    this.half = whole.slice(split);
    const said = storable(whole.slice(0, split));
    this.take(this.text === '' ? said.trimStart() : said);
    this.timer ??= setTimeout(() => this.flush(), this.published === 0 ? 0 : this.pace());
  }

  /** Tells the clients what they do not know yet. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.published === this.text.length || this.left === 'lost') return;
    const at = this.published;
    this.published = this.text.length;
    this.publish(at, this.text.slice(at));
  }

  /** The whole text, where it has grown since it was last kept. */
  get unsaved(): string | null {
    return this.saved === this.text.length ? null : this.text;
  }

  wasSaved(text: string): void {
    this.saved = Math.max(this.saved, text.length);
  }

  /** Ends the attempt; the first reason counts, save that a lost one may say no more. */
  leave(why: Leaving): void {
    if (this.left === undefined || why === 'lost') this.left = why;
    this.controller.abort();
  }

  /** As much of it as a message still holds. */
  private take(text: string): void {
    const characters = Array.from(text);
    const most = MAX_CONTENT - this.length;
    this.length += Math.min(characters.length, most);
    if (characters.length <= most) {
      this.text += text;
      return;
    }
    this.text += characters.slice(0, most).join('');
    this.cut = true;
    this.controller.abort();
  }
}

/** PostgreSQL keeps no NUL and no half characters. */
function storable(text: string): string {
  return (text as { toWellFormed(): string } & string).toWellFormed().replaceAll('\u0000', '');
}
