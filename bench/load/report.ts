import { text } from 'node:stream/consumers';

/** What this load process was told to do. */
export async function readTask<T>(): Promise<T> {
  return JSON.parse(await text(process.stdin)) as T;
}

/** How much of a core this load process uses from now on: above 0.85 the run says more of it than of the server. */
export function cpuUse(): { seconds(): number; share(): number } {
  const began = performance.now();
  const before = process.cpuUsage();
  const seconds = () => (performance.now() - began) / 1000;
  const share = () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6 / seconds();
  };
  return { seconds, share };
}

export function percentile(values: number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0;
}

export function finish(result: object): void {
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
}
