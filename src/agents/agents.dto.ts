import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  IsUrl,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { Optional } from '../platform/http/optional.js';
import { Trimmed } from '../platform/http/trimmed.js';
import type { AgentKind } from './agent.entity.js';

const SLUG = /^[a-z0-9]+(?:[-_][a-z0-9]+)*$/;
const PROVIDER = /^[a-z0-9][a-z0-9._-]{0,39}$/;

/** What of an agent may be left out. Null takes a thing away. */
class AgentDetails {
  @ApiPropertyOptional({ maxLength: 2000, example: 'Knows where everything stands.' })
  @Optional()
  @IsString()
  @MaxLength(2000)
  description?: string;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 4000, example: 'What are you looking for?' })
  @IsOptional()
  @IsString()
  @Length(1, 4000)
  greeting?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'https://chat.example/librarian.png' })
  @IsOptional()
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false })
  @MaxLength(2048)
  avatarUrl?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 100_000, example: 'You are a librarian.' })
  @IsOptional()
  @IsString()
  @Length(1, 100_000)
  systemPrompt?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    example: 'https://models.example/v1',
    description: 'Where a webhook is called; the base of an OpenAI-compatible API (none: OpenAI).',
  })
  @IsOptional()
  @IsString()
  @Length(1, 2048)
  url?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 200, example: 'gpt-4o-mini' })
  @IsOptional()
  @IsString()
  @Length(1, 200)
  model?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    writeOnly: true,
    maxLength: 4096,
    description: 'Never returned. With an url of another origin it must be given again.',
  })
  @IsOptional()
  @IsString()
  @Length(1, 4096)
  @Matches(/^[\x21-\x7e]+$/, { message: 'may hold visible ASCII characters only, and no blanks' })
  apiKey?: string | null;

  @ApiPropertyOptional({
    example: 'openai',
    default: 'openai',
    description: 'The `provider` of the credential of the caller that is used where the agent has no key.',
  })
  @Optional()
  @IsString()
  @Matches(PROVIDER, { message: 'may hold lower-case letters, digits, . _ and - only' })
  provider?: string;

  @ApiPropertyOptional({
    minimum: 256,
    maximum: 2_000_000,
    default: 8000,
    description: 'How much of a conversation the model is shown, in tokens (estimated as four bytes each).',
  })
  @Optional()
  @IsInt()
  @Min(256)
  @Max(2_000_000)
  contextTokens?: number;

  @ApiPropertyOptional({ type: Number, nullable: true, minimum: 1, description: 'The longest answer, in tokens.' })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  maxTokens?: number | null;

  @ApiPropertyOptional({ type: Number, nullable: true, minimum: 0, maximum: 2 })
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(2)
  temperature?: number | null;

  @ApiPropertyOptional({ default: true })
  @Optional()
  @IsBoolean()
  enabled?: boolean;
}

export class AgentBody extends AgentDetails {
  @ApiProperty({ example: 'librarian', maxLength: 64, description: 'Lower-case letters and digits, parted by - or _.' })
  @IsString()
  @MaxLength(64)
  @Matches(SLUG, { message: 'may hold lower-case letters and digits, parted by - or _' })
  slug: string;

  @ApiProperty({ example: 'The librarian', maxLength: 80 })
  @Trimmed()
  @IsString()
  @Length(1, 80)
  name: string;

  @ApiProperty({ enum: ['echo', 'webhook', 'openai'] })
  @IsIn(['echo', 'webhook', 'openai'])
  kind: AgentKind;
}

export class AgentPatch extends AgentDetails {
  @ApiPropertyOptional({ example: 'librarian', maxLength: 64 })
  @Optional()
  @IsString()
  @MaxLength(64)
  @Matches(SLUG, { message: 'may hold lower-case letters and digits, parted by - or _' })
  slug?: string;

  @ApiPropertyOptional({ example: 'The librarian', maxLength: 80 })
  @Optional()
  @Trimmed()
  @IsString()
  @Length(1, 80)
  name?: string;

  @ApiPropertyOptional({ enum: ['echo', 'webhook', 'openai'] })
  @Optional()
  @IsIn(['echo', 'webhook', 'openai'])
  kind?: AgentKind;
}
