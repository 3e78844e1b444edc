import { readFileSync } from 'node:fs';

const read = (file: string) => readFileSync(file, 'utf8');

describe('the repository', () => {
  it('lists every variable of environment.ts in .env.example, and none besides', () => {
    const known = [...read('src/platform/config/environment.ts').matchAll(/\b([A-Z][A-Z0-9_]+)\?:/g)].map(
      ([, name]) => name,
    );
    const shown = [...read('.env.example').matchAll(/^# ([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect(known.length).toBeGreaterThan(20);
    expect(shown.sort()).toEqual(known.sort());
  });

  it('says in docs/dependencies.md what each package is for, and of none that is not there', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json'));
    const [, app = '', development = ''] = read('docs/dependencies.md').split(/^## In (?:the app|development)$/m);
    const named = (text: string) =>
      [...text.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) => cell.match(/[^`, ]+/g) ?? []).sort();
    expect(named(app)).toEqual(Object.keys(dependencies).sort());
    expect(named(development)).toEqual(Object.keys(devDependencies).sort());
  });

  it('links to nothing that is not there', () => {
    const documents = [
      'README.md',
      'CONTRIBUTING.md',
      'SECURITY.md',
      'CHANGELOG.md',
      'docs/operating.md',
      'docs/dependencies.md',
    ];
    const broken = documents.flatMap((document) =>
      [...read(document).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].flatMap(([, target = '']) => {
        const at = new URL(target, `file://${process.cwd()}/${document}`);
        try {
          readFileSync(at);
          return [];
        } catch (error) {
          return (error as NodeJS.ErrnoException).code === 'EISDIR' ? [] : [`${document}: ${target}`];
        }
      }),
    );
    expect(broken).toEqual([]);
  });
});
