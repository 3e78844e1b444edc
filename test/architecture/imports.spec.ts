import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BROKEN = path.join(ROOT, 'test/architecture/fixtures/broken');

describe('imports', () => {
  it('point down only, in all of the code', async () => {
    const { violations, modules } = await cruise(ROOT);
    expect(violations).toEqual([]);
    for (const folder of ['src/platform/', 'src/users/', 'src/conversations/', 'migrations/']) {
      expect(modules.some((source) => source.startsWith(folder))).toBe(true);
    }
  }, 60_000);

  it('are refused where a tree breaks each of the rules, and only there', async () => {
    const { violations } = await cruise(BROKEN);
    expect(violations).toEqual([
      'entities-import-only-entities: src/users/user.entity.ts -> src/platform/clock.ts',
      'every-folder-has-a-layer: src/platform/uses-utils.ts -> src/utils/text.ts',
      'every-folder-has-a-layer: src/utils/text.ts -> src/platform/clock.ts',
      'imports-point-down: src/access/reaches-conversations.ts -> src/conversations/rooms.ts',
      'imports-point-down: src/agents/reaches-realtime.ts -> src/realtime/hub.ts',
      'imports-point-down: src/auth/reaches-access.ts -> src/access/decision.ts',
      'imports-point-down: src/conversations/reaches-messages.ts -> src/messages/messages.ts',
      'imports-point-down: src/messages/reaches-agents.ts -> src/agents/agent.service.ts',
      'imports-point-down: src/messages/reaches-boot.ts -> src/app.module.ts',
      'imports-point-down: src/platform/reaches-up.ts -> src/users/user.service.ts',
      'imports-point-down: src/realtime/reaches-legacy.ts -> src/legacy/translator.ts',
      'imports-point-down: src/users/reaches-auth.ts -> src/auth/guard.ts',
      'migrations-stand-alone: migrations/1-Create.ts -> src/platform/clock.ts',
      'no-circular-imports: src/platform/cycle-a.ts -> src/platform/cycle-b.ts',
      'no-dev-dependencies-in-production: src/platform/uses-a-dev-dependency.ts -> jest',
      'no-tests-in-production: src/messages/imports-a-test.ts -> test/helper.ts',
      'ormconfig-knows-tables-only: ormconfig.ts -> src/users/user.service.ts',
      'siblings-do-not-import-each-other: src/legacy/knows-operations.ts -> src/operations/health.ts',
      'siblings-do-not-import-each-other: src/notifications/knows-realtime.ts -> src/realtime/hub.ts',
      'siblings-do-not-import-each-other: src/sessions/session.service.ts -> src/agents/agent.service.ts',
    ]);
  });
});

interface Cruised {
  modules: { source: string }[];
  summary: { violations: { rule: { name: string }; from: string; to: string }[] };
}

/** What `npm run imports` finds in a folder that is laid out as this repository is. */
async function cruise(folder: string): Promise<{ violations: string[]; modules: string[] }> {
  const { modules, summary } = await depcruise(folder);
  return {
    violations: summary.violations
      .map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to.replace(/^.*node_modules\/([^/]+).*$/, '$1')}`)
      .sort(),
    modules: modules.map(({ source }) => source),
  };
}

function depcruise(folder: string): Promise<Cruised> {
  const program = path.join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const config = path.join(ROOT, '.dependency-cruiser.cjs');
  const args = [program, '--config', config, '--output-type', 'json', 'src', 'migrations', 'ormconfig.ts'];
  return new Promise((resolve, reject) => {
    // It ends with the number of violations, so only an answer that is no JSON is a failure of its own.
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }, (_error, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout) as Cruised);
      } catch {
        reject(new Error(`dependency-cruiser did not answer:\n${stderr}${stdout.slice(0, 2000)}`));
      }
    });
  });
}
