interface Statement {
  query: string;
  parameters?: unknown[];
}

/** The text of a migration file and where it goes, from statements up and down. */
export function migrationSource(name: string, up: Statement[], down: Statement[]): { file: string; text: string } {
  if (!/^[A-Z][A-Za-z0-9]*$/.test(name)) throw new Error('Give the migration a name such as AddPins.');
  const time = Date.now();
  const text = `import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ${name}${time} implements MigrationInterface {
  name = '${name}${time}';

  async up(runner: QueryRunner): Promise<void> {
${calls(up)}
  }

  async down(runner: QueryRunner): Promise<void> {
${calls([...down].reverse())}
  }
}
`;
  return { file: `migrations/${time}-${name}.ts`, text };
}

function calls(statements: Statement[]): string {
  return statements.map(({ query }) => `    await runner.query(\`${query.replace(/[\\`$]/g, '\\$&')}\`);`).join('\n');
}
