import type { LoggerService } from '@nestjs/common';
import { type Logger as Pino, pino } from 'pino';
import { requestId } from './request-context.js';

/** Lines that wait for a disk that is full. Beyond it they are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** What of an error is told beside its words: libraries hang on it what a statement or a command was given, passwords too. */
const TOLD = ['code', 'query', 'table', 'constraint', 'syscall', 'address', 'port'] as const;

/** One JSON object a line on standard output. Never give it a token, a password, a key or the text of a message. */
export function createLogger(level: string): Pino {
  const options = {
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: () => ({ requestId: requestId() }),
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: told },
  };
  return pino(options, standardOutput());
}

function told(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { type, message, stack, ...rest } = pino.stdSerializers.err(error);
  const fields: Record<string, unknown> = { type, message, stack };
  for (const name of TOLD) if (rest[name] !== undefined) fields[name] = rest[name];
  if (error instanceof AggregateError) fields.errors = error.errors.map(told);
  return fields;
}

/** A line that cannot be written is no reason to end: it waits for the next one, as where the disk of the logs is full. */
function standardOutput(): ReturnType<typeof pino.destination> {
  const output = pino.destination({ dest: 1, sync: true, maxLength: MAX_WAITING_BYTES });
  output.on('error', () => undefined);
  process.stdout.on('error', () => undefined);
  return output;
}

/** Lets what Nest and our own `new Logger(name)` say come out of pino. */
export class NestLogger implements LoggerService {
  constructor(private readonly pino: Pino) {}

  log = (message: unknown, ...rest: unknown[]) => this.write('debug', message, rest);
  debug = (message: unknown, ...rest: unknown[]) => this.write('debug', message, rest);
  verbose = (message: unknown, ...rest: unknown[]) => this.write('trace', message, rest);
  warn = (message: unknown, ...rest: unknown[]) => this.write('warn', message, rest);
  error = (message: unknown, ...rest: unknown[]) => this.write('error', message, rest);
  fatal = (message: unknown, ...rest: unknown[]) => this.write('fatal', message, rest);

  /** Nest appends the name of the logger; our own calls are (fields, text, name). */
  private write(level: 'trace' | 'debug' | 'warn' | 'error' | 'fatal', message: unknown, rest: unknown[]): void {
    const context = rest.at(-1);
    const fields = typeof message === 'object' && message !== null ? message : {};
    const text = typeof message === 'object' ? rest.slice(0, -1).find((part) => typeof part === 'string') : message;
    this.pino[level]({ context, ...fields }, typeof text === 'string' ? text : undefined);
  }
}
