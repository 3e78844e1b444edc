import type { FieldError } from './problem.js';

const MAX_DEPTH = 32;
/** class-transformer compares the names of all fields of an object with each other. 16 KiB of metadata hold 2,730. */
const MAX_FIELDS = 3000;
/** An answer that lists every one of a hundred thousand faults helps nobody. */
const MAX_PROBLEMS = 20;
const MAX_PATH = 100;

/**
 * Looks through a decoded JSON value for what PostgreSQL cannot store (NUL, lone surrogates), for keys that shadow
 * what every object has, for nesting deep enough to exhaust the stack of whatever walks it next, and for so many fields
 * that whatever compares them holds the node up. Iterative for that very reason.
 */
export function textProblems(root: unknown): FieldError[] {
  const problems: FieldError[] = [];
  const waiting: { value: unknown; path: string; depth: number }[] = [{ value: root, path: '', depth: 0 }];
  for (let next = waiting.pop(); next !== undefined && problems.length < MAX_PROBLEMS; next = waiting.pop()) {
    const { value, path, depth } = next;
    if (typeof value === 'string') {
      const problem = textProblem(value);
      if (problem) problems.push({ path: path.slice(0, MAX_PATH), message: problem });
    } else if (typeof value === 'object' && value !== null) {
      if (depth === MAX_DEPTH)
        return [{ path: path.slice(0, MAX_PATH), message: `is nested deeper than ${MAX_DEPTH} levels` }];
      const entries = Object.entries(value);
      if (entries.length > MAX_FIELDS && !Array.isArray(value))
        return [{ path: path.slice(0, MAX_PATH), message: `has more than ${MAX_FIELDS} fields` }];
      for (const [key, child] of entries) {
        const problem = keyProblem(key);
        if (problem) problems.push({ path: path.slice(0, MAX_PATH), message: problem });
        waiting.push({ value: child, path: path ? `${path}.${key}` : key, depth: depth + 1 });
      }
    }
  }
  return problems;
}

/** A key that every object has already (`constructor`, `__proto__`) would be taken for that by whatever reads it. */
function keyProblem(key: string): string | undefined {
  if (key in Object.prototype) return `must not have a field named ${key}`;
  return textProblem(key) && 'has a key that holds a character that cannot be stored';
}

function textProblem(text: string): string | undefined {
  if (text.includes('\u0000')) return 'must not hold the NUL character';
  if (!(text as { isWellFormed(): boolean } & string).isWellFormed())
    return 'must be well-formed Unicode (it has half a character)';
  return undefined;
}
