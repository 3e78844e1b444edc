import { QueryRunnerAlreadyReleasedError } from 'typeorm';
import { Problem } from './problem.js';

interface DatabaseError {
  code?: string;
  constraint?: string;
  driverError?: unknown;
}

const CONNECTION_LOST = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);

const BY_SQLSTATE: Record<string, () => Problem> = {
  '23505': () => Problem.conflict('conflict', 'Something with the same key is already there.'),
  '23503': () => Problem.conflict('conflict', 'It refers to something that is not there, or is still referred to.'),
  '23514': () => new Problem(400, 'validation_failed', 'A value is outside what is allowed.'),
  '23502': () => new Problem(400, 'validation_failed', 'A required value is missing.'),
  '22P02': () => new Problem(400, 'validation_failed', 'A value has the wrong form.'),
  '22P05': () => new Problem(400, 'validation_failed', 'A text holds a character that cannot be stored.'),
  '22021': () => new Problem(400, 'validation_failed', 'A text holds a character that cannot be stored.'),
  '22007': () => new Problem(400, 'validation_failed', 'A time has the wrong form.'),
  '22008': () => new Problem(400, 'validation_failed', 'A time is out of range.'),
  '22009': () => new Problem(400, 'validation_failed', 'A time has the wrong form.'),
  '22003': () => new Problem(400, 'validation_failed', 'A number is out of range.'),
  '40001': () => Problem.unavailable(),
  '40P01': () => Problem.unavailable(),
  '55P03': () => Problem.unavailable(),
  '25006': () => Problem.unavailable('The database takes no writes right now.'),
  '53100': () => new Problem(507, 'storage_full', 'The database has no room left.'),
};

/** Maps a failure of the database to what a caller may see (PostgreSQL's appendix A); undefined for anything else. */
export function databaseProblem(error: unknown): Problem | undefined {
  const code = sqlState(error);
  if (!code) return isConnectionLoss(error) ? Problem.unavailable() : undefined;
  if (BY_SQLSTATE[code]) return BY_SQLSTATE[code]();
  // 08 connection, 53 resources, 57 operator intervention (shutdown, starting up).
  if (/^(08|53|57)/.test(code) || CONNECTION_LOST.has(code)) return Problem.unavailable();
  return undefined;
}

/** True where the error is the breach of this very constraint or unique index. */
export function breaks(error: unknown, constraint: string): boolean {
  return driverError(error).constraint === constraint;
}

/** Gives what the writing gives; where it breaks one of these constraints, throws the problem that stands for it. */
export async function unlessBroken<T>(writing: Promise<T>, problems: Record<string, () => Problem>): Promise<T> {
  try {
    return await writing;
  } catch (error) {
    const constraint = driverError(error).constraint ?? '';
    throw Object.hasOwn(problems, constraint) ? problems[constraint]?.() : error;
  }
}

export function sqlState(error: unknown): string | undefined {
  const { code } = driverError(error);
  return typeof code === 'string' ? code : undefined;
}

function driverError(error: unknown): DatabaseError {
  if (typeof error !== 'object' || error === null) return {};
  const wrapped = (error as DatabaseError).driverError;
  return typeof wrapped === 'object' && wrapped !== null ? wrapped : error;
}

/**
 * What node-postgres throws without a code when the server goes away under it, and TypeORM for what comes after that in
 * a transaction, whose runner it has given up then.
 */
function isConnectionLoss(error: unknown): boolean {
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  return (
    error instanceof Error &&
    /connection terminated|is not queryable|timeout exceeded when trying to connect|query read timeout/i.test(
      error.message,
    )
  );
}
