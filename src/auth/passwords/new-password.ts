import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { dictionary } from '@zxcvbn-ts/language-common';
import { IsString, Length, registerDecorator } from 'class-validator';

const SHORTEST = 8;
const LONGEST = 128;

/** The some 18,000 most common passwords that are long enough to be chosen here (ASVS 5.0, 6.2.4 asks for 3,000). */
const COMMON: ReadonlySet<string> = new Set(
  dictionary['passwords-common'].map(String).filter((password) => password.length >= SHORTEST),
);

/** What is too long is refused for that: to put a megabyte of accents in order holds the node up for minutes. */
export function isCommonPassword(password: string): boolean {
  return password.length <= 2 * LONGEST && COMMON.has(password.normalize('NFKC').toLowerCase());
}

/** A password to be: its length and that it is not a common one. Nothing else is asked of its make-up. */
export function IsNewPassword(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ example: 'correct horse battery', minLength: SHORTEST, maxLength: LONGEST }),
    IsString(),
    Length(SHORTEST, LONGEST),
    NotCommon(),
  );
}

function NotCommon(): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name: 'notCommon',
      target: target.constructor,
      propertyName: String(propertyName),
      options: { message: 'is one of the most common passwords' },
      validator: { validate: (value: unknown) => typeof value !== 'string' || !isCommonPassword(value) },
    });
}
