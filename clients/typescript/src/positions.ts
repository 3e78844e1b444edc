/** What to do with something that bears a `rev`. */
export type Judgement = 'apply' | 'known' | 'gap';

/** As much of a conversation as `ready` and `conversation.created` tell that matters here. */
export interface Followed {
  id: string;
  rev?: number;
  serverId?: string | null;
  parent?: { conversationId: string } | null;
}

/**
 * How far each conversation has been followed. Changes of a conversation are counted by `rev` without a hole, so one
 * that is more than one ahead means that something is missing.
 */
export class Positions {
  private readonly revs = new Map<string, number>();
  /** Where each belongs: its server, and of a thread the conversation it hangs in. */
  private readonly places = new Map<string, readonly (string | null | undefined)[]>();
  /** The conversations that are being synced, each with the ref under which that was asked for last. */
  private readonly syncing = new Map<string, string>();

  /** Begins to follow a conversation from what is already there; one that is followed keeps its place. */
  follow({ id, rev = 0, serverId, parent }: Followed): void {
    if (!this.revs.has(id)) this.revs.set(id, rev);
    this.places.set(id, [serverId, parent?.conversationId]);
  }

  /** The conversations of this server, or the threads of this conversation. */
  within(placeId: string): string[] {
    return [...this.places].filter(([, places]) => places.includes(placeId)).map(([id]) => id);
  }

  has(conversationId: string): boolean {
    return this.revs.has(conversationId);
  }

  get(conversationId: string): number {
    return this.revs.get(conversationId) ?? 0;
  }

  get all(): ReadonlyMap<string, number> {
    return this.revs;
  }

  judge(conversationId: string, rev: number): Judgement {
    const known = this.revs.get(conversationId);
    // While a sync runs the server holds back what is newer, and the sync brings what is older.
    if (known === undefined || rev <= known || this.syncing.has(conversationId)) return 'known';
    if (rev > known + 1) return 'gap';
    this.revs.set(conversationId, rev);
    return 'apply';
  }

  syncOf(conversationId: string): string | undefined {
    return this.syncing.get(conversationId);
  }

  beginSync(conversationId: string, ref: string): void {
    this.syncing.set(conversationId, ref);
  }

  arrivedAt(conversationId: string, rev: number, done: boolean): void {
    this.revs.set(conversationId, rev);
    if (done) this.syncing.delete(conversationId);
  }

  drop(conversationId: string): void {
    this.revs.delete(conversationId);
    this.places.delete(conversationId);
    this.syncing.delete(conversationId);
  }

  /** A sync does not outlive the connection it was asked for on. */
  forgetSyncs(): void {
    this.syncing.clear();
  }
}
