import { applyDecorators } from '@nestjs/common';
import { Expose, Transform } from 'class-transformer';

/**
 * A field that old clients also call by other names. Stands next to the property: what is above it then sees the value.
 */
export function OtherNames(...names: string[]): PropertyDecorator {
  return applyDecorators(
    // Without it a field that is not there under its first name is not looked at.
    Expose(),
    Transform(({ value, obj }: { value: unknown; obj: Record<string, unknown> }) =>
      [value, ...names.map((name) => obj[name])].find((each) => each !== undefined && each !== null),
    ),
  );
}
