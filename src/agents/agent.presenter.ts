import { ApiProperty } from '@nestjs/swagger';
import type { Agent, AgentKind } from './agent.entity.js';

/** An agent as everyone signed in may see it. */
export class AgentView {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ example: 'librarian' }) slug: string;
  @ApiProperty({ example: 'The librarian' }) name: string;
  @ApiProperty({ example: 'Knows where everything stands.' }) description: string;
  @ApiProperty({ type: String, nullable: true, example: 'https://chat.example/librarian.png' })
  avatarUrl: string | null;
  @ApiProperty({ type: String, nullable: true, example: 'What are you looking for?' }) greeting: string | null;
  @ApiProperty({ enum: ['echo', 'webhook', 'openai'] }) kind: AgentKind;
  @ApiProperty({ description: 'One that is not enabled does not answer.' }) enabled: boolean;
}

/** An agent as administrators see it. Its key is shown to nobody. */
export class AdministeredAgent extends AgentView {
  @ApiProperty({ type: String, nullable: true, example: 'You are a librarian. Answer shortly.' })
  systemPrompt: string | null;
  @ApiProperty({ type: String, nullable: true, example: 'https://models.example/v1' }) url: string | null;
  @ApiProperty({ type: String, nullable: true, example: 'gpt-4o-mini' }) model: string | null;
  @ApiProperty({ example: 'openai' }) provider: string;
  @ApiProperty({ example: 8000 }) contextTokens: number;
  @ApiProperty({ type: Number, nullable: true, example: 800 }) maxTokens: number | null;
  @ApiProperty({ type: Number, nullable: true, example: 0.7 }) temperature: number | null;
  @ApiProperty({ description: 'Whether it has a key of its own.' }) hasKey: boolean;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
  @ApiProperty({ format: 'date-time' }) updatedAt: string;
}

export function presentAgent(agent: Agent): AgentView {
  const { id, slug, name, description, avatarUrl, greeting, kind, enabled } = agent;
  return { id, slug, name, description, avatarUrl, greeting, kind, enabled };
}

export function presentAdministered(agent: Agent): AdministeredAgent {
  const { systemPrompt, url, model, provider, contextTokens, maxTokens, temperature } = agent;
  return {
    ...presentAgent(agent),
    systemPrompt,
    url,
    model,
    provider,
    contextTokens,
    maxTokens,
    temperature,
    hasKey: agent.sealed !== null,
    createdAt: agent.createdAt.toISOString(),
    updatedAt: agent.updatedAt.toISOString(),
  };
}
