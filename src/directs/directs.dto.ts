import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize } from 'class-validator';
import { IsId } from '../platform/http/is-id.js';
import { Profile } from '../users/profile.presenter.js';

const OTHERS = 9;

export class DirectBody {
  @ApiProperty({
    type: [String],
    format: 'uuid',
    minItems: 1,
    maxItems: OTHERS + 1,
    description: 'The others; you are always one of them. Two to ten people in all.',
  })
  @ArrayMinSize(1)
  @ArrayMaxSize(OTHERS + 1)
  @IsId({ each: true })
  userIds: string[];
}

export class DirectView {
  @ApiProperty({ format: 'uuid', description: 'Also the id of its conversation.' }) id: string;
  @ApiProperty({ type: [Profile], description: 'Everybody in it, you too.' }) participants: Profile[];
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) lastMessageAt: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
}
