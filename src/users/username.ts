import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length, Matches } from 'class-validator';

const USERNAME = /^[\p{L}\p{N}_.-]+$/u;

/** A username to be. */
export function IsUsername(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ example: 'ada', minLength: 3, maxLength: 32, description: 'Letters, digits, `_`, `.` and `-`.' }),
    IsString(),
    Length(3, 32),
    Matches(USERNAME, { message: 'may hold letters, digits, _ . and - only' }),
  );
}
