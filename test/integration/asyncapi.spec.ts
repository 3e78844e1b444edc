import { getMetadataStorage } from 'class-validator';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { Frames } from '../../src/realtime/frames.js';
import { type Services, servicesOnOwnDatabase } from '../support/services.js';

/** What one part of the house tells another: no client hears of it. */
const INTERNAL = [
  'account.changed',
  'agent.silenced',
  'login.ended',
  'outcome.unknown',
  'presence.chosen',
  'presence.node',
  'presence.node.wanted',
  'presence.node.whole',
  'reply.stop-wanted',
  'standing.changed',
];
/** Each node tells its own clients: no other node hears of it. */
const TOLD_HERE = ['presence'];
/** What clients hear that is no event: answers, and the greeting. */
const ANSWERS = ['ack', 'changes', 'error', 'pong', 'ready'];

describe('the AsyncAPI document', () => {
  let services: Services;
  const { components, operations } = parse(readFileSync('docs/asyncapi.yaml', 'utf8'));
  const names = (direction: 'send' | 'hear'): string[] =>
    Object.keys(components.messages)
      .filter((key) => key.startsWith(`${direction}.`))
      .map((key) => key.slice(direction.length + 1))
      .sort();

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
  });
  afterAll(() => services.close());

  it('has every frame that the server takes, with every field of it, and how it is answered', () => {
    const { kinds } = services.app.get(Frames);
    expect(names('send')).toEqual([...kinds.keys()].sort());
    for (const [type, { form }] of kinds) {
      const checks = getMetadataStorage().getTargetValidationMetadatas(form, '', false, false);
      const fields = [...new Set(checks.map(({ propertyName }) => propertyName))];
      const { properties } = components.messages[`send.${type}`].payload;
      expect([type, Object.keys(properties).sort()]).toEqual([type, ['type', ...fields].sort()]);
      expect(operations[`on.${type}`].action).toBe('receive');
    }
  });

  it('has every event that clients hear, and none that stays in the house', () => {
    expect(names('hear')).toEqual(
      [...eventTypes().filter((type) => !INTERNAL.includes(type)), ...TOLD_HERE, ...ANSWERS].sort(),
    );
  });

  it('tells everything but answers without being asked', () => {
    const told = operations.tell.messages.map(({ $ref }: any) => $ref.split('/hear.').at(-1));
    expect(told.sort()).toEqual(
      [...names('hear').filter((type) => type === 'ready' || !ANSWERS.includes(type))].sort(),
    );
  });
});

/** Read from the declarations, save those that are for one node alone. */
function eventTypes(): string[] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.events.ts'));
  expect(files.length).toBeGreaterThan(5);
  return files.flatMap((file) => {
    const text = readFileSync(path.join('src', file), 'utf8');
    const declared = [...text.matchAll(/= defineEvent<[^]*?>\(\s*'([\w.-]+)'(,\s*'here')?,?\s*\);/g)];
    return declared.filter(([, , here]) => here === undefined).map(([, type = '']) => type);
  });
}
