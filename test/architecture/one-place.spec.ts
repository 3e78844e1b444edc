import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const sources = new Map(
  readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map((file) => [path.posix.join('src', file), readFileSync(path.join('src', file), 'utf8')] as const),
);

/** What only one place may do, and where that is. */
const RULES = [
  {
    what: 'only the unit of work opens or closes a transaction',
    pattern:
      /\b(startTransaction|commitTransaction|rollbackTransaction|\.transaction)\(|['"`\s](BEGIN|COMMIT|ROLLBACK)[;'"`]/,
    allowed: /^src\/platform\/database\/unit-of-work\.ts$/,
    breach: "await runner.query('BEGIN')",
  },
  {
    what: 'only access/ makes passes',
    pattern: /\bnew (Reader|Writer|Pinner|Moderator|Scribe|AnsweringAgent|ServerPass)\(/,
    allowed: /^src\/access\//,
    breach: 'const pass = new Writer(room, actor, standing)',
  },
  {
    what: 'only the configuration reads the environment',
    pattern: /\bprocess\.env\b/,
    allowed: /^src\/platform\/(config|database\/embedded)\/|^src\/operations\/cli\//,
    breach: 'const level = process.env.LOG_LEVEL',
  },
  {
    what: 'only the outbound guard calls other machines',
    pattern: /from '(undici|axios)'|(?<![.\w])fetch\(|\bhttps?\.(get|request)\(/,
    allowed: /^src\/platform\/outbound\//,
    breach: 'await fetch(agent.url)',
  },
  {
    what: 'only IsId takes ids, in one spelling',
    pattern: /\bIsUUID\(/,
    allowed: /^src\/platform\/http\/is-id\.ts$/,
    breach: '@IsUUID() conversationId: string;',
  },
];

describe.each(RULES)('$what', ({ pattern, allowed, breach }) => {
  it('holds in every file', () => {
    expect(sources.size).toBeGreaterThan(100);
    const breaches = [...sources].filter(([file, text]) => !allowed.test(file) && pattern.test(text));
    expect(breaches.map(([file]) => file)).toEqual([]);
  });

  it('would be seen if it were broken', () => {
    expect(pattern.test(breach)).toBe(true);
    expect([...sources].some(([file, text]) => allowed.test(file) && pattern.test(text))).toBe(true);
  });
});
