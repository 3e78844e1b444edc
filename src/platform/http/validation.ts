import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { type ValidationError, validateSync } from 'class-validator';
import { type FieldError, Problem } from './problem.js';
import { rememberMetadata } from './remember-metadata.js';
import { textProblems } from './text.js';

rememberMetadata();

type Class<T extends object> = new () => T;
const PLAIN: unknown[] = [String, Number, Boolean, Array, Object, undefined];

const TYPES = ['isString', 'isInt', 'isNumber', 'isBoolean', 'isArray', 'isObject'];

const LEAVES_OUT_UNKNOWN = 'parley:leaves-out-unknown';

/** For what clients of an old system send: fields that nobody reads any more are left out instead of refused. */
export function LeavesOutUnknown(): ClassDecorator {
  return (type) => Reflect.defineMetadata(LEAVES_OUT_UNKNOWN, true, type);
}

/**
 * Turns outside input into a checked instance of `type`. Unknown fields are refused, so that nothing can be set
 * that the class does not name. Throws a Problem that names every wrong field at once.
 */
export function checked<T extends object>(type: Class<T>, input: unknown): T {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw Problem.invalid('', 'a JSON object is expected');
  }
  const unstorable = textProblems(input);
  if (unstorable.length > 0) throw Problem.validation(unstorable);
  const instance = plainToInstance(type, input);
  const errors = validateSync(instance, {
    whitelist: true,
    forbidNonWhitelisted: !Reflect.hasMetadata(LEAVES_OUT_UNKNOWN, type),
    forbidUnknownValues: false,
  });
  if (errors.length > 0) throw Problem.validation(fieldErrors(errors));
  return instance;
}

function fieldErrors(errors: ValidationError[], prefix = ''): FieldError[] {
  return errors.flatMap((error) => {
    const path = prefix + error.property;
    const own = broken(error.constraints ?? {}).map(([rule, text]) => ({
      path,
      message: rule === 'whitelistValidation' ? 'is not a known field' : withoutName(text, error.property),
    }));
    return [...own, ...fieldErrors(error.children ?? [], `${path}.`)];
  });
}

/** What is not even of the right type breaks every rule of it: to be told that a text is too small helps nobody. */
function broken(constraints: Record<string, string>): [rule: string, text: string][] {
  const all = Object.entries(constraints);
  const type = all.find(([rule]) => TYPES.includes(rule));
  return type ? [type] : all;
}

/** What class-validator says by itself begins with the name of the property, which the path says already. */
function withoutName(text: string, property: string): string {
  return text.startsWith(`${property} `) ? text.slice(property.length + 1) : text;
}

/** The global pipe: every body and query that a controller types with a class is checked by it. */
@Injectable()
export class CheckedInput implements PipeTransform {
  transform(value: unknown, { metatype, type, data }: ArgumentMetadata): unknown {
    if (type === 'custom') return value;
    if (PLAIN.includes(metatype)) {
      const unstorable = textProblems(value);
      if (unstorable.length > 0)
        throw Problem.validation(unstorable.map((each) => ({ ...each, path: each.path || (data ?? '') })));
      return value;
    }
    return checked(metatype as Class<object>, value === undefined ? {} : value);
  }
}
