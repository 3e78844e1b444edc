import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length, Matches, ValidateBy } from 'class-validator';
import { comparable } from './names.js';

/** `@everyone` and `@here` in a message are no person; the house speaks as `system`, and for those who have gone. */
const TAKEN = ['everyone', 'here', 'system', 'deleted-user'];
const LONGEST = 32;
const USERNAME = /^[\p{L}\p{N}_.-]+$/u;

/** A username to be. */
export function IsUsername(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ example: 'ada', minLength: 3, maxLength: 32, description: 'Letters, digits, `_`, `.` and `-`.' }),
    IsString(),
    Length(3, LONGEST),
    ValidateBy(
      {
        name: 'isFree',
        validator: { validate: (name) => typeof name === 'string' && !isTaken(name) },
      },
      { message: 'is a word that stands for something else' },
    ),
    Matches(USERNAME, { message: 'may hold letters, digits, _ . and - only' }),
  );
}

/** What is too long is refused for that: to put a megabyte of accents in order holds the node up for minutes. */
function isTaken(name: string): boolean {
  return name.length <= 2 * LONGEST && TAKEN.includes(comparable(name));
}
