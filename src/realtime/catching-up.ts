import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import type { Reader } from '../access/pass.js';
import { type Changes, HistoryService } from '../messages/history.service.js';

/** When thousands come back, the connections to the database must not all be theirs: others go on writing. */
const AT_ONCE = 8;
const GATHER_MS = 10;
const PAGE = 100;

interface Gathering {
  userIds: Set<string>;
  seenBy: Promise<(userId: string) => Changes>;
}

/** Reads what those missed who come back, on this node: once for all who missed the same. */
@Injectable()
export class CatchingUp {
  private readonly inTurn = pLimit(AT_ONCE);
  private readonly gatherings = new Map<string, Gathering>();

  constructor(private readonly history: HistoryService) {}

  /**
   * A page of what somebody missed. Those who were in a room together lost it together, and come back to it from the same
   * rev: whoever asks before it is their turn is told of one reading. Throws 404 where the room is gone.
   */
  async changes({ room, actor }: Reader, after: number): Promise<Changes> {
    const key = `${room.id} ${after}`;
    const gathering = this.gatherings.get(key) ?? this.gather(key, room, after);
    gathering.userIds.add(actor.userId);
    return (await gathering.seenBy)(actor.userId);
  }

  private gather(key: string, room: Reader['room'], after: number): Gathering {
    const userIds = new Set<string>();
    const seenBy = this.turn().then(() =>
      this.inTurn(() => {
        this.gatherings.delete(key);
        return this.history.changesForMany(room, [...userIds], after, PAGE);
      }),
    );
    const gathering = { userIds, seenBy };
    this.gatherings.set(key, gathering);
    return gathering;
  }

  /** Who comes back alone is read for at once; where others do too, those of the same room have a moment to join. */
  private async turn(): Promise<void> {
    if (this.gatherings.size + this.inTurn.activeCount > 0) await pause(GATHER_MS);
  }
}
