import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, Length, registerDecorator } from 'class-validator';
import type { ConversationKind } from '../../conversations/conversation.entity.js';
import { IsId } from '../../platform/http/is-id.js';
import { Optional } from '../../platform/http/optional.js';
import { Trimmed } from '../../platform/http/trimmed.js';
import { PageQuery } from '../../platform/http/paging.js';
import { MessageView } from '../message.presenter.js';
import { Fragment } from './fragments.js';

const DAY_OR_TIME = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?$/;

/** A day, or a time with its zone, of ISO 8601; one that is in the calendar. */
function IsDayOrTime(): PropertyDecorator {
  return (target, propertyKey) =>
    registerDecorator({
      name: 'isDayOrTime',
      target: target.constructor,
      propertyName: propertyKey as string,
      validator: {
        validate: (value: unknown) => typeof value === 'string' && isInCalendar(value),
        defaultMessage: () => 'must be a day such as 2026-01-31, or a time with its zone such as 2026-01-31T12:00:00Z',
      },
    });
}

/** Date.parse takes the 31st of February for the 3rd of March. */
function isInCalendar(text: string): boolean {
  const [, day] = DAY_OR_TIME.exec(text) ?? [];
  return day !== undefined && !Number.isNaN(Date.parse(text)) && new Date(day).toISOString().startsWith(day);
}

export class SearchQuery extends PageQuery {
  @ApiProperty({
    description:
      'Words that must all be there; "words in quotes" next to each other; -without; `or` between alternatives. ' +
      'Parts of words are found too, after whole words.',
    minLength: 1,
    maxLength: 256,
    example: '"quarterly report" -draft',
  })
  @Trimmed()
  @IsString()
  @Length(1, 256)
  q: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'Only in this conversation, or in the channels of this server.' })
  @Optional()
  @IsId()
  in?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'Only by this person or agent.' })
  @Optional()
  @IsId()
  from?: string;

  @ApiPropertyOptional({ description: 'Only from before this day (UTC) or time.', example: '2026-12-31' })
  @Optional()
  @IsDayOrTime()
  before?: string;

  @ApiPropertyOptional({ description: 'Only from this day (UTC) or time on.', example: '2026-01-01' })
  @Optional()
  @IsDayOrTime()
  after?: string;

  @ApiPropertyOptional({ enum: ['link', 'attachment'], description: 'Only messages that have this.' })
  @Optional()
  @IsIn(['link', 'attachment'])
  has?: 'link' | 'attachment';
}

/** The room that a message was found in. */
export class FoundIn {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ enum: ['session', 'channel', 'direct', 'thread'] }) kind: ConversationKind;
  @ApiProperty({ type: String, nullable: true }) title: string | null;
  @ApiProperty({ type: String, nullable: true, format: 'uuid' }) serverId: string | null;
}

export class FoundMessage {
  @ApiProperty() message: MessageView;
  @ApiProperty() conversation: FoundIn;
  @ApiProperty({ enum: ['words', 'parts'], description: 'Whole words come first, parts of words after them.' })
  rank: 'words' | 'parts';
  @ApiProperty({ type: [Fragment] }) fragments: Fragment[];
}
