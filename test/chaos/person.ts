import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type Api, isOver } from './api.js';
import type { Follower } from './follower.js';
import type { Fate, Ledger, Said, Step } from './ledger.js';
import type { Act } from './plan.js';

const EMOJIS = ['👍', '🎉', '🙈'];
const GIVE_UP_MS = 45_000;

/** Where everybody talks. */
export interface Places {
  servers: { id: string; rooms: string[]; members: string[] }[];
  /** Of the servers. */
  rooms: string[];
  sessions: { id: string; type: 'peer' | 'agent'; rooms: string[]; ownerId: string }[];
}

/** Does what the plan says, one thing after the other, and insists on each until it is settled. */
export class Person {
  private readonly mine: Said[] = [];
  private count = 0;

  constructor(
    readonly name: string,
    readonly api: Api,
    readonly follower: Follower,
    private readonly places: Places,
    private readonly ledger: Ledger,
  ) {}

  /** What is not begun when the time is over is left. */
  async follow(acts: readonly Act[], began: number, ms: number): Promise<void> {
    for (const act of acts) {
      await sleep(Math.max(0, began + act.at - Date.now()));
      if (Date.now() > began + ms) return;
      await this.act(act);
    }
  }

  act(act: Act): Promise<void> {
    switch (act.kind) {
      case 'send':
        return this.send(act);
      case 'edit':
        return this.edit(act);
      case 'delete':
        return this.delete(act);
      case 'react':
        return this.react(act, true);
      case 'unreact':
        return this.react(act, false);
      case 'add':
      case 'remove':
        return this.admit(act, act.kind);
      case 'claim':
      case 'release':
        return this.help(act, act.kind);
      case 'clear':
        return this.clear(act);
      case 'thread':
        return this.openThread(act);
    }
  }

  /** Where they may talk, for all they know. */
  get rooms(): string[] {
    const theirs = this.places.sessions.filter(({ id, ownerId }) => ownerId === this.api.userId || this.helps(id));
    return [...this.places.rooms, ...theirs.flatMap(({ rooms }) => rooms)];
  }

  private async send(act: Act): Promise<void> {
    const { rooms } = this;
    const room = rooms[act.lot % rooms.length] as string;
    this.count += 1;
    const nonce = `${this.name}-${this.count}`;
    const said: Said = { author: this.api.userId, room, nonce, content: `${nonce} says`, fate: OPEN, edits: [] };
    this.ledger.said.push(said);
    const sending = () =>
      this.insist(act, { type: 'message.send', conversationId: room, content: said.content, nonce }, [
        'POST',
        `/conversations/${room}/messages`,
        { content: said.content, nonce },
      ]);
    const { fate, message } = await sending();
    Object.assign(said, { fate, message, acknowledged: Date.now() });
    if (!message) return;
    this.mine.push(said);
    // As if the answer had been lost. In a session its owner may have taken it away meanwhile.
    if (act.lot % 6 > 0 || !this.places.rooms.includes(room)) return;
    const again = await sending();
    if (again.message && (again.message.id !== message.id || again.message.seq !== message.seq))
      this.ledger.complain(`${nonce} became two messages: ${message.id} and ${again.message.id}`);
  }

  private async edit(act: Act): Promise<void> {
    const said = this.oneOfMine(act);
    if (!said?.message) return;
    const content = `${said.content} ${said.edits.length + 1}`;
    const edit = { content, fate: OPEN };
    said.edits.push(edit);
    const { room } = said;
    const { fate } = await this.insist(
      act,
      { type: 'message.edit', conversationId: room, messageId: said.message.id, content },
      ['PATCH', `/conversations/${room}/messages/${said.message.id}`, { content }],
    );
    edit.fate = fate;
  }

  private async delete(act: Act): Promise<void> {
    const said = this.oneOfMine(act);
    if (!said?.message) return;
    said.deletion = OPEN;
    const { room } = said;
    const { fate } = await this.insist(
      act,
      { type: 'message.delete', conversationId: room, messageId: said.message.id },
      ['DELETE', `/conversations/${room}/messages/${said.message.id}`],
    );
    said.deletion = fate;
  }

  private async react(act: Act, on: boolean): Promise<void> {
    const there = this.ledger.standing();
    const said = there[act.lot % there.length];
    if (!said) return;
    const emoji = EMOJIS[act.lot % EMOJIS.length] as string;
    const reaction = this.ledger.reaction(said.room, said.message.id, this.api.userId, emoji);
    const doing = { on, fate: OPEN };
    reaction.acts.push(doing);
    const path = `/conversations/${said.room}/messages/${said.message.id}/reactions/${encodeURIComponent(emoji)}`;
    const { fate } = await this.insist(act, undefined, [on ? 'PUT' : 'DELETE', path]);
    doing.fate = fate;
  }

  private async admit(act: Act, kind: 'add' | 'remove'): Promise<void> {
    const server = this.places.servers[act.lot % this.places.servers.length]!;
    const others = server.members.filter((id) => id !== this.api.userId);
    const ready = others.filter((id) => (this.ledger.steps(server.id, id).at(-1)?.kind ?? 'add') !== kind);
    const userId = ready[act.lot % ready.length];
    if (userId === undefined) return;
    const call: Call =
      kind === 'add'
        ? ['POST', `/servers/${server.id}/members`, { userId }]
        : ['DELETE', `/servers/${server.id}/members/${userId}`];
    const { end, code } = await this.step(act, this.ledger.steps(server.id, userId), kind, call);
    if (end === 'refused') this.ledger.complain(`${kind} was refused: ${code}`);
  }

  /** Of several advocates who want a session one gets it. */
  private async help(act: Act, kind: 'claim' | 'release'): Promise<void> {
    const peers = this.places.sessions.filter(({ type }) => type === 'peer');
    const ready = peers.filter(({ id }) => this.helps(id) === (kind === 'release'));
    const session = ready[act.lot % ready.length];
    if (!session) return;
    const steps = this.ledger.steps(session.id, this.api.userId);
    await this.step(act, steps, kind === 'claim' ? 'add' : 'remove', ['POST', `/sessions/${session.id}/${kind}`]);
  }

  private get mySession(): Places['sessions'][number] | undefined {
    return this.places.sessions.find(({ ownerId }) => ownerId === this.api.userId);
  }

  private async clear(act: Act): Promise<void> {
    const { id } = this.mySession ?? {};
    if (!id) return;
    const begun = Date.now();
    const { fate } = await this.insist(act, undefined, ['DELETE', `/conversations/${id}/messages`]);
    if (fate.end === 'done') this.ledger.cleared.set(id, begun);
  }

  private async openThread(act: Act): Promise<void> {
    const session = this.mySession;
    const said = this.mine.findLast(({ room, deletion }) => room === session?.id && !deletion);
    if (!session || !said?.message) return;
    const path = `/conversations/${session.id}/messages/${said.message.id}/thread`;
    const { message: thread } = await this.insist(act, undefined, ['POST', path]);
    if (thread && !session.rooms.includes(thread.id)) session.rooms.push(thread.id);
  }

  /** Perhaps, where nobody knows what became of it. */
  private helps(sessionId: string): boolean {
    const last = this.ledger.steps(sessionId, this.api.userId).at(-1);
    return last?.kind === 'add' && (last.fate.end === 'done' || last.fate.unsure);
  }

  private async step(act: Act, steps: Step[], kind: Step['kind'], call: Call): Promise<Fate> {
    const step: Step = { kind, begun: Date.now(), ended: Infinity, fate: OPEN };
    steps.push(step);
    const { fate } = await this.insist(act, undefined, call);
    // An attempt before may have done it.
    const doneBefore = fate.unsure && DONE_BEFORE.includes(fate.code ?? '');
    step.fate = doneBefore ? { ...fate, end: 'done' } : fate;
    step.ended = Date.now();
    return step.fate;
  }

  private oneOfMine({ lot }: Act): Said | undefined {
    const there = this.mine.slice(-12).filter(({ deletion }) => !deletion);
    return there[lot % there.length];
  }

  /** The same act on one node and the other, in one way and the other, until somebody says what became of it. */
  private async insist(act: Act, frame: object | undefined, [method, path, body]: Call): Promise<Settled> {
    const deadline = Date.now() + GIVE_UP_MS;
    let unsure = false;
    for (let attempt = 0; Date.now() < deadline; attempt += 1) {
      const bySocket = frame !== undefined && this.follower.isLive && (attempt % 2 === 0) === (act.over === 'socket');
      try {
        const answer = bySocket
          ? fromFrame(await this.follower.ask(frame))
          : fromHttp(await this.api.call(act.node + attempt, method, path, body));
        if (answer.code === undefined) return { fate: { end: 'done', unsure }, message: answer.message };
        if (answer.code === 'internal') this.ledger.complain(`${method} ${path} failed: ${answer.code}`);
        else if (isOver(answer.code)) return { fate: { end: 'refused', code: answer.code, unsure } };
        unsure ||= answer.code !== 'overloaded';
      } catch {
        unsure = true;
      }
      await sleep(50 + Math.random() * 200);
    }
    this.ledger.complain(`${method} ${path} was never settled`);
    return { fate: { end: 'unknown', unsure: true } };
  }
}

const DONE_BEFORE = ['already_member', 'not_found'];
const OPEN: Fate = { end: 'unknown', unsure: true };

type Call = [method: string, path: string, body?: unknown];

interface Settled {
  fate: Fate;
  message?: { id: string; seq: number };
}

type Verdict = { code?: string; message?: { id: string; seq: number } };

function fromHttp({ status, body }: Answer): Verdict {
  return status < 300 ? { message: body } : { code: status === 500 ? 'internal' : body.code };
}

function fromFrame(frame: { type: string; [field: string]: any }): Verdict {
  return frame.type === 'ack' ? { message: frame.message } : { code: frame.code };
}
