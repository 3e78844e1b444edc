import { paceAmong, ReplyRun } from './reply-run.js';
import type { TakenReply } from './reply-store.js';

const REPLY: TakenReply = {
  id: 'reply',
  sessionId: 'session',
  askedId: 'message',
  replacesId: null,
  agentId: 'agent',
  userId: 'ada',
  username: 'ada',
  attempt: 1,
  stopRequested: false,
  text: '',
  open: true,
  enabled: true,
};

describe('one attempt at a reply', () => {
  let told: [at: number, text: string][];
  const running = () =>
    new ReplyRun(
      REPLY,
      (at, text) => told.push([at, text]),
      () => 1_000,
    );
  const heard = (...pieces: string[]): string => {
    const run = running();
    told = [];
    for (const piece of pieces) run.add(piece);
    run.flush();
    expect(told.map(([, text]) => text).join('')).toBe(run.text);
    return run.text;
  };
  beforeEach(() => (told = []));

  it('holds what was said, without white space before the first word', () => {
    expect(heard(' \n', ' Hello, ', 'Ada')).toBe('Hello, Ada');
  });

  it('has no NUL and no half of a character', () => {
    expect(heard('a\u0000b', '\u0000', 'x\ude00y')).toBe('abx\ufffdy');
  });

  it('joins a character that came in two pieces', () => {
    expect(heard('so \ud83d', '\ude00!')).toBe('so \ud83d\ude00!');
    expect(heard('so \ud83d', 'no')).toBe('so \ufffdno');
  });

  it('tells together what came together, each time from where it had got to', () => {
    const run = running();
    for (const piece of ['One ', 'two ']) run.add(piece);
    expect([told, run.known]).toEqual([[], '']);
    run.flush();
    run.add('three');
    expect([told, run.known]).toEqual([[[0, 'One two ']], 'One two ']);
    run.flush();
    run.flush();
    expect(told).toEqual([
      [0, 'One two '],
      [8, 'three'],
    ]);
  });

  it('is kept whole each time that it has grown', () => {
    const run = running();
    run.add('One ');
    expect(run.unsaved).toBe('One ');
    run.wasSaved('One ');
    expect(run.unsaved).toBeNull();
    run.add('two');
    expect(run.unsaved).toBe('One two');
  });

  it('says no more once it is lost, also where it was stopped before', () => {
    const run = running();
    run.add('One ');
    run.leave('stopped');
    run.add('two');
    run.leave('lost');
    run.flush();
    expect([told, run.text, run.left]).toEqual([[], 'One ', 'lost']);
  });

  it('is told less often the more are given at once, and ten times a second at least', () => {
    expect([1, 10, 50, 60, 200].map(paceAmong)).toEqual([41, 50, 90, 100, 100]);
  });
});
