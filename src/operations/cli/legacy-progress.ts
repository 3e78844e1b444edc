import { Presets, SingleBar } from 'cli-progress';
import type { ImportOptions } from '../../legacy/import/importer.js';

const LINE_EVERY = 50_000;

type Step = Parameters<ImportOptions['onProgress']>[0];

interface Shown {
  at(rows: number): void;
  stop(): void;
}

/** What has been read and written so far, with rate and time left: a bar on a terminal, a line now and then elsewhere. */
export class Progress {
  private step: Step | undefined;
  private shown: Shown | undefined;

  at(step: Step, rows: number, of: number): void {
    if (step !== this.step) {
      this.stop();
      this.step = step;
      this.shown = process.stderr.isTTY ? bar(step, of) : lines(step, of);
    }
    this.shown?.at(rows);
  }

  stop(): void {
    this.shown?.stop();
    this.shown = undefined;
  }
}

function bar(step: Step, of: number): Shown {
  const format = `${step} [{bar}] {value}/{total} rows, {rate}/s, {eta_formatted} left`;
  const shown = new SingleBar({ format, stream: process.stderr, hideCursor: true }, Presets.shades_classic);
  const started = Date.now();
  shown.start(of, 0, { rate: 0 });
  return { at: (rows) => shown.update(rows, { rate: rate(rows, started) }), stop: () => shown.stop() };
}

function lines(step: Step, of: number): Shown {
  const started = Date.now();
  let next = LINE_EVERY;
  const at = (rows: number) => {
    if (rows === 0 || (rows < next && rows < of)) return;
    next = rows + LINE_EVERY;
    const left = Math.ceil((of - rows) / Math.max(rate(rows, started), 1));
    process.stderr.write(`${step} ${rows}/${of} rows, ${rate(rows, started)}/s, ${left} s left\n`);
  };
  return { at, stop: () => undefined };
}

function rate(rows: number, started: number): number {
  return Math.round((rows * 1000) / Math.max(Date.now() - started, 1));
}
