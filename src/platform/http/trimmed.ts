import { Transform } from 'class-transformer';

/** Takes the white space around a text away before it is checked. What is no text stays for the check to refuse. */
export function Trimmed(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value));
}
