import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsUUID } from 'class-validator';

/**
 * An id in a body, a query or a frame, or with `each` a list of them. It is taken in lower case, as ids are kept: two
 * spellings of one id would be two keys to whatever is remembered by it.
 */
export function IsId({ each = false } = {}): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.map(lowered) : lowered(value))),
    IsUUID('all', { each }),
  );
}

function lowered(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value;
}
