import { storable } from './values.js';

/** A file that stays where it is: what came over only points to it. */
export interface LinkedFile {
  name: string | null;
  /** Anything but an http(s) address is told by its name alone. */
  url: string | null;
  size: number | null;
  contentType: string | null;
}

const URL_ENDS = /[\s()<>]/g;

/**
 * A text with its files as Markdown links on lines of their own behind it, and the same files for its metadata. No
 * files: the text as it is.
 */
export function withLinks(
  content: string,
  files: LinkedFile[],
): {
  content: string;
  attachments: { name: string; url: string | null; size: number | null; contentType: string | null }[];
} {
  const attachments = files.map(({ name, url, ...rest }) => ({
    name: storable(oneLine(name ?? '') || nameIn(url) || 'file'),
    url: isAddress(url) ? storable(url) : null,
    ...rest,
  }));
  const lines = attachments.map(({ name, url }) => (url === null ? escaped(name) : linkTo(name, url)));
  return { content: [...(content === '' ? [] : [content]), ...lines].join('\n'), attachments };
}

/** A Markdown link. */
export function linkTo(text: string, url: string): string {
  return `[${escaped(text)}](${encoded(url)})`;
}

function isAddress(url: string | null): url is string {
  return url !== null && /^https?:\/\//i.test(url);
}

function nameIn(url: string | null): string {
  return oneLine(url?.split(/[?#]/)[0]?.split('/').at(-1) ?? '');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** What would end the text of a link, or begin another one (CommonMark 0.31, 6.3). */
function escaped(text: string): string {
  return text.replace(/[\\[\]]/g, '\\$&');
}

function encoded(url: string): string {
  return url.replace(URL_ENDS, (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`);
}
