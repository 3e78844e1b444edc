/** Of two forms of one change: whether it is for those who hold the message already, or for those to whom it is new. */
export interface Form {
  seq: number;
  isHeld: boolean;
}

/**
 * What one socket was told from the database, up to a rev that this node has not passed on yet: what comes by later, up
 * to there, would come twice.
 */
export class Ahead {
  private revs: Map<string, number> | undefined;
  /** The newest message that it held when it was told. */
  private seqs: Map<string, number> | undefined;

  get isNowhere(): boolean {
    return !this.revs?.size;
  }

  /** It was told all of the room up to `rev`, and so of all messages up to `seq`. */
  go(conversationId: string, rev: number, seq: number): void {
    this.revs = raised(this.revs, conversationId, rev);
    this.seqs = raised(this.seqs, conversationId, seq);
  }

  /** Whether a change was told already. The first one beyond ends the question for its room. */
  covers(conversationId: string, rev: number): boolean {
    const told = this.revs?.get(conversationId);
    if (told === undefined) return false;
    if (rev > told) this.revs?.delete(conversationId);
    return rev <= told;
  }

  /** Whether this form of a change is for one who holds the messages it was told of, and those up to `lastSeq`. */
  fits(conversationId: string, form: Form | undefined, lastSeq = 0): boolean {
    const held = Math.max(lastSeq, this.seqs?.get(conversationId) ?? 0);
    return !form || form.seq <= held === form.isHeld;
  }
}

function raised(known: Map<string, number> | undefined, id: string, value: number): Map<string, number> {
  return (known ?? new Map<string, number>()).set(id, Math.max(value, known?.get(id) ?? 0));
}
