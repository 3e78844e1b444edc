import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import { Optional } from '../../platform/http/optional.js';
import { PageQuery } from '../../platform/http/paging.js';

const MONTH = /^20\d\d-(0[1-9]|1[0-2])$/;

export class UsageQuery extends PageQuery {
  @ApiPropertyOptional({ example: '2026-11', description: 'One month (UTC) alone.' })
  @Optional()
  @Matches(MONTH, { message: 'must be a month such as 2026-11' })
  month?: string;
}

export class UsedAgent {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ example: 'librarian' }) slug: string;
  @ApiProperty({ example: 'The librarian' }) name: string;
}

/** What an agent's answers to one person have cost in a month. */
export class UsageView {
  @ApiProperty({ example: '2026-11', description: 'In UTC.' }) month: string;
  @ApiProperty({ type: UsedAgent }) agent: UsedAgent;
  @ApiProperty({ description: 'Answers, whatever they cost.', example: 12 }) replies: number;
  @ApiProperty({ description: 'In and out.', example: 3456 }) tokensUsed: number;
}

/** What an agent's answers have cost in a month, whoever asked. */
export class AgentUsageView {
  @ApiProperty({ example: '2026-11', description: 'In UTC.' }) month: string;
  @ApiProperty({ description: 'People who were answered.', example: 3 }) people: number;
  @ApiProperty({ example: 40 }) replies: number;
  @ApiProperty({ example: 98_765 }) tokensUsed: number;
}
