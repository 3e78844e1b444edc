const LONGEST = 120;

/** Control characters, and those that turn the reading direction or are not seen: `gnp.exe` must not read `exe.png`. */
const DECEPTIVE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu;

/** Takes a name from outside, gives one that is safe to show and to save under: no folders, nothing unseen. */
export function safeFileName(given: string | undefined): string {
  const base = (given ?? '').normalize('NFC').split(/[\\/]/).at(-1) ?? '';
  const name = base
    .replace(DECEPTIVE, '')
    .replace(/[<>:"|?*]/g, '_')
    .replace(/\s+/g, ' ')
    .replace(/^[. ]+|[. ]+$/g, '');
  return name === '' ? 'file' : shortened(name);
}

/** Keeps the ending, which says what it is. */
function shortened(name: string): string {
  const letters = Array.from(name);
  if (letters.length <= LONGEST) return name;
  const [ending = ''] = /\.[\p{L}\p{N}]{1,10}$/u.exec(name) ?? [];
  return letters.slice(0, LONGEST - ending.length).join('') + ending;
}

/** A Content-Disposition (RFC 6266) with the name in ASCII for old clients and whole for all others (RFC 8187). */
export function disposition(kind: 'inline' | 'attachment', name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const whole = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${kind}; filename="${plain}"; filename*=UTF-8''${whole}`;
}
