import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length, Matches } from 'class-validator';

/** `@everyone` and `@here` in a message are no person. */
const FREE = /^(?!(everyone|here)$)/i;
const USERNAME = /^[\p{L}\p{N}_.-]+$/u;

/** A username to be. */
export function IsUsername(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ example: 'ada', minLength: 3, maxLength: 32, description: 'Letters, digits, `_`, `.` and `-`.' }),
    IsString(),
    Length(3, 32),
    Matches(FREE, { message: 'is a word that stands for everybody' }),
    Matches(USERNAME, { message: 'may hold letters, digits, _ . and - only' }),
  );
}
