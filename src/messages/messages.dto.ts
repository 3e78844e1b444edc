import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsInt,
  IsObject,
  IsString,
  Length,
  Max,
  Min,
  registerDecorator,
  type ValidationArguments,
} from 'class-validator';
import { IsId } from '../platform/http/is-id.js';
import { PageQuery } from '../platform/http/paging.js';
import { Optional } from '../platform/http/optional.js';
import { Trimmed } from '../platform/http/trimmed.js';

export const MAX_CONTENT = 20_000;
const MAX_METADATA_BYTES = 16_384;

/** Trimmed text of 1 to 20,000 characters; a character is a code point, whatever it takes to store. */
export function IsContent(): PropertyDecorator {
  return (target, propertyKey) => {
    Trimmed()(target, propertyKey);
    registerDecorator({
      name: 'isContent',
      target: target.constructor,
      propertyName: propertyKey as string,
      validator: {
        validate: (value: unknown) => typeof value === 'string' && value !== '' && codePoints(value) <= MAX_CONTENT,
        defaultMessage: () => `must be a text of 1 to ${MAX_CONTENT} characters after trimming`,
      },
    });
  };
}

function codePoints(text: string): number {
  return text.length <= MAX_CONTENT ? text.length : Array.from(text).length;
}

function IsSmallObject(): PropertyDecorator {
  return (target, propertyKey) =>
    registerDecorator({
      name: 'isSmallObject',
      target: target.constructor,
      propertyName: propertyKey as string,
      validator: {
        validate: (value: unknown) => Buffer.byteLength(JSON.stringify(value)) <= MAX_METADATA_BYTES,
        defaultMessage: ({ property }: ValidationArguments) => `${property} must be at most 16 KiB as JSON`,
      },
    });
}

/** Looks at each once: class-validator's own ArrayUnique, for as many as fit into a body, holds the node up for seconds. */
function AreDifferent(): PropertyDecorator {
  return (target, propertyKey) =>
    registerDecorator({
      name: 'areDifferent',
      target: target.constructor,
      propertyName: propertyKey as string,
      validator: {
        validate: (value: unknown) => Array.isArray(value) && new Set(value).size === value.length,
        defaultMessage: ({ property }: ValidationArguments) => `${property} must name each only once`,
      },
    });
}

/** What a message is made of, over REST and the socket alike. */
export class MessageDraft {
  @ApiProperty({ example: 'Hello, everyone', minLength: 1, maxLength: MAX_CONTENT })
  @IsContent()
  content: string;

  @ApiPropertyOptional({ description: 'Chosen by the client: the same nonce and content again is the same message.' })
  @Optional()
  @IsString()
  @Length(1, 64)
  nonce?: string;

  @ApiPropertyOptional({ format: 'uuid' })
  @Optional()
  @IsId()
  replyToId?: string;

  @ApiPropertyOptional({
    type: [String],
    format: 'uuid',
    description: 'Files that you uploaded and have not sent yet.',
  })
  @Optional()
  @IsArray()
  @AreDifferent()
  @IsId({ each: true })
  attachmentIds?: string[];
}

export class SendBody extends MessageDraft {
  @ApiPropertyOptional({ type: Object, description: 'Whatever the client wants kept beside it, at most 16 KiB.' })
  @Optional()
  @IsObject()
  @IsSmallObject()
  metadata?: Record<string, unknown>;
}

export class EditBody {
  @ApiProperty({ example: 'Hello, everybody', minLength: 1, maxLength: MAX_CONTENT })
  @IsContent()
  content: string;
}

export class BulkDeletion {
  @ApiProperty({ type: [String], format: 'uuid', minItems: 1, maxItems: 100 })
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(100)
  @IsId({ each: true })
  messageIds: string[];
}

export class BulkDeleted {
  @ApiProperty({ description: 'How many messages went.', example: 3 }) deleted: number;
}

export class HistoryQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'Messages with a smaller seq, the nearest of them.' })
  @Optional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  before?: number;

  @ApiPropertyOptional({ description: 'Messages with a greater seq, the nearest of them.' })
  @Optional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  after?: number;

  @ApiPropertyOptional({ description: 'Messages on both sides of this seq.' })
  @Optional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  around?: number;
}

export class ChangesQuery {
  @ApiProperty({ description: 'The rev that the client has.', example: 57 })
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  after: number = 0;

  @ApiPropertyOptional({ minimum: 1, maximum: 100, default: 50 })
  @Optional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit: number = 50;
}
