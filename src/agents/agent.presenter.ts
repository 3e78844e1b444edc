import { ApiProperty } from '@nestjs/swagger';
import type { Agent, AgentKind } from './agent.entity.js';

/** An agent as everyone signed in may see it. */
export class AgentView {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ example: 'echo' }) slug: string;
  @ApiProperty({ example: 'Echo' }) name: string;
  @ApiProperty() description: string;
  @ApiProperty({ type: String, nullable: true }) avatarUrl: string | null;
  @ApiProperty({ type: String, nullable: true }) greeting: string | null;
  @ApiProperty({ enum: ['echo', 'webhook', 'openai'] }) kind: AgentKind;
  @ApiProperty() enabled: boolean;
}

export function presentAgent(agent: Agent): AgentView {
  const { id, slug, name, description, avatarUrl, greeting, kind, enabled } = agent;
  return { id, slug, name, description, avatarUrl, greeting, kind, enabled };
}
