export const PASSWORD = 'correct horse battery';

export const PEOPLE = ['ada', 'grace', 'alan', 'barbara', 'edsger', 'margaret'] as const;
export type Name = (typeof PEOPLE)[number];

/** Who says what, line by line. */
export type Scene = readonly (readonly [Name, string])[];

/** Ada's server: its channels, and what was said in them before anybody looked. */
export const CHANNELS: Readonly<Record<string, Scene>> = {
  general: [
    ['ada', 'Welcome, everyone. This is where we talk about engines and everything else.'],
    ['grace', 'Hello! I brought a moth.'],
    ['alan', 'Is it still alive?'],
    ['grace', 'No, but it is taped into the log book, so it is persistent.'],
    ['edsger', 'A bug that is found is a bug that was made.'],
    ['margaret', 'Which is why I test for what the crew is told never to do.'],
    ['barbara', 'And did the crew ever do it?'],
    ['margaret', 'On the very first flight.'],
  ],
  engines: [
    ['ada', 'The engine weaves algebraical patterns as the loom weaves flowers and leaves.'],
    ['alan', 'How much tape does it have?'],
    ['ada', 'Cards, not tape. As many as one can punch.'],
    ['alan', 'Then as far as I am concerned it is infinite.'],
    ['barbara', 'Can I replace a part of it by a better one, and nobody notices?'],
    ['ada', 'If the better one keeps every promise of the old one.'],
  ],
  mathematics: [
    ['edsger', 'Why does everybody start counting at one?'],
    ['ada', 'I start at the first row of the table.'],
    ['edsger', 'And its number is zero.'],
    ['grace', 'A nanosecond is 29.98 centimetres, if anybody wants one. I have a bundle here.'],
    ['margaret', 'How many of them to the moon?'],
    ['grace', 'About 1.28 thousand million. Bring a large bag.'],
  ],
};

/** What comes by and by while somebody looks, over and over. */
export const CHATTER: Readonly<Record<string, Scene>> = {
  general: [
    ['barbara', 'Good morning. Did the night run finish?'],
    ['margaret', 'It did, with two alarms. Both were right.'],
    ['alan', 'Has anybody seen my bicycle chain? It comes off every fourteen turns.'],
    ['grace', '@alan I have the answer, and it is easier to ask forgiveness than permission.'],
    ['edsger', 'I wrote the proof with a fountain pen. It compiled at once.'],
    ['ada', 'I am off to the races, and I have a system.'],
  ],
  engines: [
    ['alan', 'It stopped. Or it will never stop. I cannot tell.'],
    ['ada', 'Nobody can, you showed that yourself.'],
    ['margaret', 'The restart keeps the most important job and drops the rest.'],
    ['grace', 'What does the manual say?'],
    ['barbara', 'The manual says what it does, and not how. As it should.'],
  ],
  mathematics: [
    ['ada', 'Bernoulli number B7, anyone?'],
    ['edsger', 'The shortest path, please, I have twenty minutes and no paper.'],
    ['barbara', 'An abstraction with one use is a detour.'],
    ['edsger', 'And one with none is a cathedral.'],
    ['alan', 'Can a machine enjoy strawberries and cream?'],
  ],
};

export const REACTIONS = ['👍', '😄', '🎉', '❤️', '👀'];
