import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';

const AT_ONCE = 8;

/**
 * How many of those who come back read what they missed at once, on this node. When thousands do, the connections to the
 * database must not all be theirs: others go on writing.
 */
@Injectable()
export class CatchingUp {
  readonly inTurn = pLimit(AT_ONCE);
}
