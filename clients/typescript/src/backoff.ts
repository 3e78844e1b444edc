const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/**
 * How long to wait before the next try: random from nothing to a bound that doubles ("full jitter"), so that the
 * clients of a server that was gone do not come back all at once.
 */
export function waitFor(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
}
