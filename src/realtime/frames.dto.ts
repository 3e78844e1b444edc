import { IsIn, IsInt, IsString, Max, MaxLength, Min } from 'class-validator';
import { IsContent, MessageDraft } from '../messages/messages.dto.js';
import { IsId } from '../platform/http/is-id.js';
import { Optional } from '../platform/http/optional.js';
import { type Choice, CHOICES } from '../users/presence/presence-choice.entity.js';

/** Every frame may carry a `ref`, which comes back with its answer. */
export class Frame {
  @Optional()
  @IsString()
  @MaxLength(200)
  ref?: string;
}

export class RoomFrame extends Frame {
  @IsId()
  conversationId: string;
}

export class SendFrame extends MessageDraft {
  @Optional()
  @IsString()
  @MaxLength(200)
  ref?: string;

  @IsId()
  conversationId: string;
}

export class EditFrame extends RoomFrame {
  @IsId()
  messageId: string;

  @IsContent()
  content: string;
}

export class DeleteFrame extends RoomFrame {
  @IsId()
  messageId: string;
}

export class SyncFrame extends RoomFrame {
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  afterRev: number;
}

export class ReadFrame extends RoomFrame {
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  seq: number;
}

export class PresenceFrame extends Frame {
  @IsIn(CHOICES)
  status: Choice;
}

export class AuthenticateFrame extends Frame {
  @IsString()
  @MaxLength(8192)
  token: string;
}
