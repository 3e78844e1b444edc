import type { Frame } from '../support/people.js';

export interface View {
  id: string;
  conversationId: string;
  seq: number;
  rev: number;
  nonce: string | null;
  content: string | null;
  createdAt: string;
  editedAt: string | null;
  deletedAt: string | null;
  reactions: { emoji: string; count: number; me: boolean }[];
}

interface Room {
  serverId: string | null;
  /** Of a thread: where it hangs. */
  parentId: string | undefined;
  /** The newest change that was applied. */
  rev: number;
  /** Changes up to this were never asked for. */
  from: number;
  syncing: boolean;
  messages: Map<string, View>;
}

/** A change that was heard live: for who should not have heard it. */
export interface Heard {
  conversationId: string;
  /** When it happened, as far as it says so. */
  happened: number;
  heard: number;
  what: string;
}

/** What a client knows from what it is told, following docs/protocol.md to the letter, and what it was told wrongly. */
export class Mirror {
  readonly rooms = new Map<string, Room>();
  readonly heard: Heard[] = [];
  readonly complaints: string[] = [];
  gaps = 0;
  strays = 0;
  private syncs = 0;
  /** The sync that was asked for last, of each room. */
  private readonly asked = new Map<string, string>();
  onRefusedSync: (conversationId: string, code: string) => void = () => undefined;

  /** `lazy`: takes a new room as it stands, and follows only what happens from then on. */
  constructor(
    private readonly userId: string,
    private readonly lazy: boolean,
    private readonly askSync: (conversationId: string, afterRev: number, ref: string) => void,
  ) {}

  get isSyncing(): boolean {
    return [...this.rooms.values()].some(({ syncing }) => syncing);
  }

  complain(text: string): void {
    this.complaints.push(text);
  }

  disconnected(): void {
    for (const room of this.rooms.values()) room.syncing = false;
  }

  forget(conversationId: string): void {
    this.rooms.delete(conversationId);
    this.asked.delete(conversationId);
  }

  hear(frame: Frame): void {
    if (frame.type === 'ready') this.greet(frame.conversations as Known[]);
    else if (frame.type === 'changes') this.change(frame);
    else if (/^message\.(created|updated|deleted)$/.test(frame.type)) this.follow(frame);
    else if (frame.type === 'conversation.cleared') this.followClearing(frame);
    else if (frame.type === 'conversation.created') this.learn(frame.conversation as Known);
    else if (frame.type === 'conversation.deleted') this.drop(frame.conversationId as string);
    else if (frame.type === 'member.removed' && frame.userId === this.userId) this.leave(frame.serverId as string);
    else if (frame.type === 'error') this.refused(frame);
  }

  syncAgain(conversationId: string): void {
    const room = this.rooms.get(conversationId);
    if (room) this.ask(conversationId, room);
  }

  private greet(present: Known[]): void {
    const ids = new Set(present.map(({ id }) => id));
    for (const id of this.rooms.keys()) if (!ids.has(id)) this.forget(id);
    for (const known of present) {
      const room = this.rooms.get(known.id);
      if (!room) this.learn(known);
      else if (known.rev < room.rev) this.complain(`${known.id} is told at ${known.rev} and was at ${room.rev}`);
      else if (known.rev > room.rev) this.sync(known.id, room);
    }
  }

  private learn({ id, serverId, parent, rev }: Known): void {
    if (this.rooms.has(id)) return;
    const from = this.lazy ? rev : 0;
    const room = {
      serverId,
      parentId: parent?.conversationId,
      rev: from,
      from,
      syncing: false,
      messages: new Map<string, View>(),
    };
    this.rooms.set(id, room);
    if (rev > from) this.sync(id, room);
  }

  private drop(conversationId: string): void {
    this.forget(conversationId);
    for (const [id, { parentId }] of this.rooms) if (parentId === conversationId) this.forget(id);
  }

  private leave(serverId: string): void {
    for (const [id, room] of this.rooms) if (room.serverId === serverId) this.forget(id);
  }

  private follow(frame: Frame): void {
    const { type, conversationId, rev, message } = frame;
    this.note(conversationId as string, type, message as View);
    const room = this.next(frame);
    if (!room) return;
    if ((type === 'message.created') !== !room.messages.has(message.id as string) && room.from === 0)
      this.complain(
        `${type} ${conversationId} ${rev} for a message that ${room.messages.has(message.id as string) ? 'is' : 'is not'} there`,
      );
    room.messages.set(message.id as string, message as View);
  }

  private followClearing(frame: Frame): void {
    const room = this.next(frame);
    if (room) takeOut(room, frame.clearedSeq as number);
  }

  /** The room of a change, if it is the next one of it. */
  private next({ type, conversationId, rev }: Frame): Room | undefined {
    const room = this.rooms.get(conversationId as string);
    // Before the room is told of, or after it was taken away: `ready` and `conversation.created` say where it stands.
    if (!room) this.strays += 1;
    if (!room || room.syncing) return undefined;
    if (rev <= room.rev) this.complain(`${type} ${conversationId} ${rev} came after ${room.rev}`);
    else if (rev > room.rev + 1) {
      this.gaps += 1;
      this.sync(conversationId as string, room);
    } else {
      room.rev = rev as number;
      return room;
    }
    return undefined;
  }

  private change({ ref, conversationId, items, rev, more, reset, clearedSeq }: Frame): void {
    const room = this.rooms.get(conversationId as string);
    // One that was asked for before the room was lost is no news of the room that is there again.
    if (!room || ref !== this.asked.get(conversationId as string)) return;
    if (reset) return this.complain(`${conversationId} was reset`);
    takeOut(room, clearedSeq as number);
    for (const item of items as View[]) {
      if (item.rev <= room.rev) this.complain(`changes of ${conversationId} bring ${item.rev} after ${room.rev}`);
      room.messages.set(item.id, item);
      room.rev = item.rev;
    }
    if (rev < room.rev) this.complain(`changes of ${conversationId} end at ${rev} after ${room.rev}`);
    room.rev = rev as number;
    room.syncing = more as boolean;
  }

  private refused({ ref = '', code }: Frame): void {
    const [, id] = /^sync (\S+)/.exec(ref as string) ?? [];
    if (id && ref === this.asked.get(id)) this.onRefusedSync(id, code as string);
  }

  private sync(id: string, room: Room): void {
    if (room.syncing) return;
    room.syncing = true;
    this.ask(id, room);
  }

  private ask(id: string, { rev }: Room): void {
    const ref = `sync ${id} ${(this.syncs += 1)}`;
    this.asked.set(id, ref);
    this.askSync(id, rev, ref);
  }

  private note(conversationId: string, type: string, { id, createdAt, editedAt, deletedAt }: View): void {
    const time = type === 'message.created' ? createdAt : type === 'message.deleted' ? deletedAt : editedAt;
    if (time) this.heard.push({ conversationId, happened: Date.parse(time), heard: Date.now(), what: `${type} ${id}` });
  }
}

function takeOut(room: Room, clearedSeq: number): void {
  for (const { id, seq } of room.messages.values()) if (seq <= clearedSeq) room.messages.delete(id);
}

interface Known {
  id: string;
  serverId: string | null;
  parent: { conversationId: string } | null;
  rev: number;
}
