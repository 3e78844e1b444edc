import { linkTo } from '../links.js';
import { mentionOf } from '../mentioning.js';
import { emojiNamed } from './slack-emoji.js';

/** What texts of Slack refer to by id. */
export interface SlackNames {
  hasPerson(id: string): boolean;
  channel(id: string): string | undefined;
}

const CODE = /(```[\s\S]*?```|`[^`\n]+`)/;
const TAG = /<([^<>\n]+)>/g;
const EMOJI = /:([a-z0-9_+'-]{1,100}(?:::skin-tone-[2-6])?):/g;
const ENTITIES: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };

/** A text of Slack in Markdown: people, channels and addresses as they are called here, emoji as such outside of code. */
export function spoken(text: string, names: SlackNames): string {
  if (!/[<&:]/.test(text)) return text;
  const parts = text.split(CODE);
  return parts.map((part, at) => untagged(part, names, at % 2 === 1)).join('');
}

function untagged(text: string, names: SlackNames, isCode: boolean): string {
  const parts = text.split(TAG);
  return parts.map((part, at) => (at % 2 === 1 ? tag(part, names, isCode) : plain(part, isCode))).join('');
}

function plain(text: string, isCode: boolean): string {
  const shown = isCode ? text : text.replace(EMOJI, (whole, name: string) => emojiNamed(name) ?? whole);
  return unescaped(shown);
}

/** A text without tags. */
export function unescaped(text: string): string {
  return text.includes('&') ? text.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity] as string) : text;
}

function tag(body: string, names: SlackNames, isCode: boolean): string {
  const [, target = '', label] = /^([^|]*)(?:\|([\s\S]*))?$/.exec(body)?.map((part) => part && unescaped(part)) ?? [];
  const id = target.slice(1);
  if (target.startsWith('@')) return person(id, label, names, isCode);
  if (target.startsWith('#')) return `#${label || names.channel(id) || id}`;
  if (target.startsWith('!')) return command(id, label);
  if (isCode) return target;
  if (target.startsWith('mailto:')) return label || target.slice('mailto:'.length);
  if (!label || label === target) return target;
  return /^https?:\/\//i.test(target) ? linkTo(label, target) : label;
}

function person(id: string, label: string | undefined, names: SlackNames, isCode: boolean): string {
  if (names.hasPerson(id) && !isCode) return mentionOf(id);
  return `@${(label || id).replace(/^@/, '')}`;
}

/** `here`, `channel` and `everyone`; groups of people and dates are told by their label. */
function command(name: string, label: string | undefined): string {
  const [what = ''] = name.split('^');
  if (what === 'date') return label ?? '';
  return `@${(label || what).replace(/^@/, '')}`;
}
