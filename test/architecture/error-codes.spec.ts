import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

const FACTORIES = 'platform/http/problem.ts';
const FILTER = 'platform/http/problem.filter.ts';
const CONFLICT = 409;

interface Codes {
  /** `<status> <code>` */
  problems: Set<string>;
  frames: Set<string>;
}

/** Every code that the sources give a refusal, read from their syntax. Codes that are only passed on are no new ones. */
function codesOf(sources: [name: string, text: string][]): Codes {
  const codes: Codes = { problems: new Set(), frames: new Set() };
  for (const [name, text] of sources) {
    const visit = (node: ts.Node): void => {
      if (ts.isNewExpression(node) && node.expression.getText() === 'Problem') {
        const [status, code] = node.arguments ?? [];
        if (status && code && ts.isStringLiteral(code)) codes.problems.add(`${status.getText()} ${code.text}`);
      }
      if (ts.isCallExpression(node)) {
        const [first, second] = node.arguments;
        const called = node.expression.getText();
        if (called === 'Problem.conflict' && first && ts.isStringLiteral(first)) {
          codes.problems.add(`${CONFLICT} ${first.text}`);
        }
        if (/\.refuse$/.test(called) && second && ts.isStringLiteral(second) && second.text) {
          codes.frames.add(second.text);
        }
      }
      if (name === FILTER && ts.isPropertyAssignment(node) && ts.isNumericLiteral(node.name)) {
        codes.problems.add(`${node.name.text} ${(node.initializer as ts.StringLiteral).text}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true));
  }
  return codes;
}

function tableOf(heading: string): string[][] {
  const [, section = ''] = readFileSync('docs/errors.md', 'utf8').split(`## ${heading}\n`);
  const [table = ''] = section.split('\n## ');
  return [...table.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, code = '', rest = '']) => [
    code,
    ...rest.split(' | '),
  ]);
}

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
  .map((file): [string, string] => [file.replaceAll('\\', '/'), readFileSync(`src/${file}`, 'utf8')]);

describe('docs/errors.md', () => {
  const codes = codesOf(sources);

  it('lists every code with every status that the sources give it, and no other', () => {
    const listed = tableOf('Codes').flatMap(([code, statuses = '']) =>
      statuses.split(', ').map((status) => `${status} ${code}`),
    );
    expect(listed.sort()).toEqual([...codes.problems].sort());
  });

  it('lists every code that only a frame is refused with, and no other', () => {
    const listed = tableOf('Frames').map(([code]) => code);
    expect(listed.sort()).toEqual([...codes.frames].sort());
  });

  it('is in the order of the alphabet and says of each what it means and what to do', () => {
    const rows = tableOf('Codes');
    expect(rows.map(([code]) => code)).toEqual(rows.map(([code]) => code).sort());
    expect(rows.filter((cells) => cells.length !== 4 || cells.some((cell) => cell.trim() === ''))).toEqual([]);
  });

  it('would be found out where a code were new', () => {
    const more = codesOf([[FACTORIES, `throw new Problem(418, 'teapot', 'x'); Problem.conflict('odd', 'x')`]]);
    expect([...more.problems]).toEqual(['418 teapot', '409 odd']);
    expect(codes.problems.size).toBeGreaterThan(50);
  });
});
