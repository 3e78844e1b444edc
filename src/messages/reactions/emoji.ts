import type { PipeTransform } from '@nestjs/common';
import { Problem } from '../../platform/http/problem.js';

/** The longest of Unicode's own, a couple with two skin tones, takes 15. */
const MAX_UNITS = 32;
const NAME = /^:[\p{L}\p{N}_+-]{1,32}:$/u;
const PICTURE = /\p{Extended_Pictographic}|^\p{RI}{2}$|^[0-9#*]\u20e3$/u;
const PARTS = /^[\p{Extended_Pictographic}\p{Emoji_Component}]+$/u;
const PRESENTATION = /[\ufe0e\ufe0f]/gu;
/** What is shown as text unless U+FE0F follows it (Unicode Technical Standard 51, fully-qualified emoji). */
const TEXT_BY_DEFAULT = /(?!\p{Emoji_Presentation})\p{Emoji}(?!\p{Emoji_Modifier})/gu;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * The one form of an emoji: a single picture, fully qualified so that two keyboards make one kind of it, or a short
 * `:name:`. Undefined for anything else.
 */
export function canonicalEmoji(text: string): string | undefined {
  if (text.length > 2 * MAX_UNITS) return undefined;
  const emoji = text.normalize('NFC');
  if (NAME.test(emoji)) return emoji;
  const bare = emoji.replace(PRESENTATION, '');
  const isOne = bare.length <= MAX_UNITS && [...graphemes.segment(bare)].length === 1;
  return isOne && PARTS.test(bare) && PICTURE.test(bare) ? bare.replace(TEXT_BY_DEFAULT, '$&\ufe0f') : undefined;
}

/** Takes an emoji in a path, gives its one form. Throws 400. */
export class EmojiPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    const emoji = canonicalEmoji(value);
    if (emoji === undefined) throw Problem.invalid('emoji', 'must be one emoji or a :name: of up to 32 characters');
    return emoji;
  }
}
