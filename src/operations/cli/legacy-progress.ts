import { Presets, SingleBar } from 'cli-progress';

const LINE_EVERY = 50_000;

export interface Progress {
  at(rows: number): void;
  stop(): void;
}

/** A bar with rate and time left on a terminal, a line now and then elsewhere. */
export function progress(total: number): Progress {
  return process.stderr.isTTY ? bar(total) : lines(total);
}

function bar(total: number): Progress {
  const format = 'Reading [{bar}] {value}/{total} rows, {rate}/s, {eta_formatted} left';
  const shown = new SingleBar({ format, stream: process.stderr, hideCursor: true }, Presets.shades_classic);
  const started = Date.now();
  shown.start(total, 0, { rate: 0 });
  return { at: (rows) => shown.update(rows, { rate: rate(rows, started) }), stop: () => shown.stop() };
}

function lines(total: number): Progress {
  const started = Date.now();
  let next = LINE_EVERY;
  const at = (rows: number) => {
    if (rows < next) return;
    next = rows + LINE_EVERY;
    const left = Math.ceil((total - rows) / Math.max(rate(rows, started), 1));
    process.stderr.write(`read ${rows}/${total} rows, ${rate(rows, started)}/s, ${left} s left\n`);
  };
  return { at, stop: () => undefined };
}

function rate(rows: number, started: number): number {
  return Math.round((rows * 1000) / Math.max(Date.now() - started, 1));
}
