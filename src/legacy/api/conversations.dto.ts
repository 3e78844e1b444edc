import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsString, Length } from 'class-validator';
import { LoginBody, RegisterBody } from '../../auth/auth.dto.js';
import { IsContent } from '../../messages/messages.dto.js';
import { Optional } from '../../platform/http/optional.js';
import { LeavesOutUnknown } from '../../platform/http/validation.js';
import { OtherNames } from './other-names.js';

@LeavesOutUnknown()
export class OldRegisterBody extends RegisterBody {}

/** A form of an old page may call the same field by another name. */
@LeavesOutUnknown()
export class OldLoginBody extends LoginBody {
  @ApiProperty({ example: 'ada', description: 'Or `username`, or `email`.' })
  @OtherNames('username', 'email')
  declare login: string;
}

@LeavesOutUnknown()
export class OldChatBody {
  @ApiProperty({ example: 'Hello' })
  @IsContent()
  message: string;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'Without one a new conversation begins.' })
  @Transform(({ value }: { value: unknown }) => (value === null || value === '' ? undefined : value))
  @Optional()
  @IsString()
  @Length(1, 200)
  conversation_id?: string;
}

export class OldChatAnswer {
  @ApiProperty({ example: 'Hello, how can I help?' }) response: string;
  @ApiProperty() conversation_id: string;
  @ApiProperty({ example: 42 }) tokens_used: number;
}
