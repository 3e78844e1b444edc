import { ApiProperty } from '@nestjs/swagger';
import { LoginBody, RegisterBody } from '../../auth/auth.dto.js';
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
