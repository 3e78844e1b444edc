import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import pLimit from 'p-limit';
import { AccessService } from '../access/access.service.js';
import { audienceOf, inside } from '../access/facts.js';
import { ConversationCleared, ConversationDeleted } from '../conversations/conversations.events.js';
import { type Changes, HistoryService } from '../messages/history.service.js';
import type { MessageView } from '../messages/message.presenter.js';
import { type MessageChange, MessageDeleted, MessageUpdated } from '../messages/messages.events.js';
import { arrayAt, Database } from '../platform/database/database.js';
import { LOOKS, OutcomeUnknown } from '../platform/database/outcome.events.js';
import { EventBus } from '../platform/events/event-bus.js';
import type { DomainEvent, Topic } from '../platform/events/event.js';
import { HintsLost } from '../platform/nodes/nodes.events.js';
import { Attendance } from './attendance.js';
import { Reactors } from './reactors.js';
import { RoomOrder } from './room-order.js';
import { SessionReview } from './session-review.js';

/** Who missed more of a room is not told all of it: the newest change alone, which leaves a gap that they ask about. */
const MOST_TOLD = 1_000;
const RETRY_MS = 1_000;
const ROOMS_AT_ONCE = 5_000;

/** Reads from the database what another node did and this one was not told, and delivers it to who is here. */
@Injectable()
export class Mending implements OnModuleInit {
  private readonly logger = new Logger(Mending.name);
  private readonly inTurn = pLimit(4);
  private readonly running = new Map<string, { now: Promise<boolean>; next?: Promise<boolean> }>();
  private mendingAll: Promise<void> | undefined;
  private again = false;
  /** Rooms in which something may have been written that nobody announced, and how often they are still looked at. */
  private readonly doubted = new Map<string, number>();
  private looking = false;

  constructor(
    private readonly bus: EventBus,
    private readonly order: RoomOrder,
    private readonly database: Database,
    private readonly access: AccessService,
    private readonly history: HistoryService,
    private readonly sessions: SessionReview,
    private readonly attendance: Attendance,
    private readonly reactors: Reactors,
  ) {}

  onModuleInit(): void {
    this.order.onGap((conversationId) => void this.mend(conversationId));
    this.bus.on(HintsLost, () => this.mendAll());
    this.bus.on(OutcomeUnknown, ({ rooms }) => {
      for (const id of rooms) this.doubted.set(id, LOOKS);
      if (!this.looking && rooms.length > 0) void this.lookAtDoubted();
    });
  }

  /** Once the database answers, and some more times: it may be about to commit what it was sent before it hung. */
  private async lookAtDoubted(): Promise<void> {
    this.looking = true;
    try {
      await this.mendBehind([...this.order.headsOf(this.doubted.keys())]);
      await this.sessions.tell((id) => this.doubted.has(id));
      for (const [id, left] of this.doubted) {
        if (left > 1) this.doubted.set(id, left - 1);
        else this.doubted.delete(id);
      }
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'what became of failed sends cannot be seen yet');
    }
    this.looking = this.doubted.size > 0;
    if (this.looking) setTimeout(() => void this.lookAtDoubted(), RETRY_MS).unref();
  }

  /** Everything: what was lost may be anything. Asked for while it runs, it runs once more. */
  private mendAll(): void {
    this.again = this.mendingAll !== undefined;
    this.mendingAll ??= this.mendRooms()
      .then(() => this.sessions.tellAll())
      .then(() => this.attendance.review())
      .then(
        () => this.ended(),
        (error: unknown) => {
          this.logger.warn({ err: error as Error }, 'what was missed could not be read yet');
          setTimeout(() => this.ended(true), RETRY_MS).unref();
        },
      );
  }

  private ended(again = this.again): void {
    this.mendingAll = undefined;
    if (again) this.mendAll();
  }

  private async mendRooms(): Promise<void> {
    const heads = [...this.order.heads()];
    for (let i = 0; i < heads.length; i += ROOMS_AT_ONCE) await this.mendBehind(heads.slice(i, i + ROOMS_AT_ONCE));
  }

  private async mendBehind(heads: [id: string, rev: number][]): Promise<void> {
    const differing = await this.database.prepared<{ id: string; headRev: number | null; isBehind: boolean }>(
      `SELECT known.id, c.last_rev AS "headRev", c.id IS NULL OR c.last_rev > known.rev AS "isBehind"
       FROM unnest(${arrayAt(1)}, ${arrayAt(2, 'bigint')}) AS known (id, rev)
         LEFT JOIN conversations c ON c.id = known.id WHERE c.id IS NULL OR c.last_rev <> known.rev`,
      [heads.map(([id]) => id), heads.map(([, rev]) => rev)],
    );
    // Another server has taken over that does not know the last changes: their revs are given anew.
    for (const { id, headRev, isBehind } of differing)
      if (!isBehind && headRev !== null) this.order.rewind(id, headRev);
    const behind = differing.filter(({ isBehind }) => isBehind);
    const read = await Promise.all(behind.map(({ id }) => this.mend(id)));
    // Where nothing comes after what was missed, no client sees that there is something to ask for.
    if (read.includes(false)) throw new Error('some rooms could not be read');
  }

  /** Gives whether it could be read. Asked for while it is read, it is read once more: it may have gone on since. */
  private mend(conversationId: string): Promise<boolean> {
    const running = this.running.get(conversationId);
    if (running) return (running.next ??= running.now.then(() => this.mend(conversationId)));
    const now = this.mendNow(conversationId).finally(() => this.running.delete(conversationId));
    this.running.set(conversationId, { now });
    return now;
  }

  private async mendNow(conversationId: string): Promise<boolean> {
    try {
      await this.inTurn(() => this.readOn(conversationId));
      return true;
    } catch (error) {
      this.logger.warn({ err: error as Error, conversationId }, 'a gap could not be filled: clients will ask');
      this.order.letGo(conversationId);
      return false;
    }
  }

  private async readOn(conversationId: string): Promise<void> {
    const room = await this.access.roomOf(conversationId);
    if (!room) return this.tellGone(conversationId);
    const from = this.order.known(conversationId)?.rev;
    if (from === undefined) return;
    let changes = await this.history.changes({ room }, from, MOST_TOLD);
    let newest = newestIn(changes);
    const isFar = changes.more;
    while (changes.more) {
      changes = await this.history.changes({ room }, changes.rev, MOST_TOLD);
      newest = Math.max(newest, newestIn(changes));
    }
    const read = await this.eventsOf(isFar ? changes.items.slice(-1) : changes.items, audienceOf(room));
    // Whoever left while it was read hears nothing that was said since.
    const present = await this.access.roomOf(conversationId);
    if (!present) return this.tellGone(conversationId);
    const audience = audienceOf(present);
    const events = read.map((event) => inside(present, { ...event, audience }));
    // Other nodes' events may have been passed on until here. From here on nothing comes between, until all is told.
    const seqKnown = this.order.known(conversationId)?.seq;
    if (seqKnown === undefined) return;
    this.tellCleared(conversationId, audience, seqKnown, changes);
    for (const event of events) this.order.deliverMended(event, event.data.message.seq > seqKnown);
    this.order.mended(conversationId, changes.rev, newest);
  }

  /** It is kept until nobody is left to be told: where the news of it still comes, that is told no more. */
  private tellGone(conversationId: string): void {
    const audience = [...(this.order.known(conversationId)?.audience ?? [])];
    if (audience.length === 0) this.order.forget(conversationId);
    else this.order.deliver(ConversationDeleted(audience, { conversationId }));
  }

  /** Whatever stands in the room now came after its clearing, so the clearing has an earlier rev than all of it. */
  private tellCleared(conversationId: string, audience: Topic[], seqKnown: number, changes: Changes): void {
    const { clearedSeq, items, rev } = changes;
    if (clearedSeq === 0 || clearedSeq < seqKnown) return;
    this.order.deliverCleared(
      ConversationCleared(audience, { conversationId, rev: items[0] ? items[0].rev - 1 : rev, clearedSeq }),
    );
  }

  private async eventsOf(messages: MessageView[], audience: Topic[]): Promise<DomainEvent<MessageChange>[]> {
    const events: DomainEvent<MessageChange>[] = [];
    for (const message of messages) {
      const { conversationId, rev, deletedAt } = message;
      const event = (deletedAt ? MessageDeleted : MessageUpdated)(audience, { conversationId, rev, message });
      const personal = await this.reactors.of(event);
      events.push(personal ? { ...event, personal } : event);
    }
    return events;
  }
}

/** The seq of the newest message that changed. */
function newestIn({ items }: Changes): number {
  return items.reduce((newest, { seq }) => Math.max(newest, seq), 0);
}
