import { ValidateIf } from 'class-validator';

/** May be left out. Unlike IsOptional it does not let null through, which would reach the database as a value. */
export function Optional(): PropertyDecorator {
  return ValidateIf((_, value: unknown) => value !== undefined);
}
