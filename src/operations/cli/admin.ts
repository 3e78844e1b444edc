import 'dotenv/config';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../../ormconfig.js';
import { AccountAudit } from '../../auth/audit/account-audit.service.js';
import { leaveNotices } from '../../auth/logins/leave-notices.js';
import { loadConfig } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import { readySchema } from '../../platform/database/migrate.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { EventBus } from '../../platform/events/event-bus.js';
import type { DomainEvent } from '../../platform/events/event.js';
import { Problem } from '../../platform/http/problem.js';
import { SecretBox } from '../../platform/secrets/secret-box.js';
import { AccountAdministration } from '../accounts/account-administration.service.js';
import type { RightsBody } from '../accounts/accounts.dto.js';
import { rotateKeys } from '../accounts/key-rotation.js';
import { refuseUnknown, runCommand } from './run-command.js';

interface House {
  accounts: AccountAdministration;
  work: UnitOfWork;
}

/** A running app learns of what these change from the notices that the database keeps. */
const COMMANDS: Record<string, (house: House, name: string) => Promise<string>> = {
  'user:list': ({ accounts }) => list(accounts),
  'user:promote': changing({ isAdmin: true }, 'is an administrator now'),
  'user:demote': changing({ isAdmin: false }, 'is no administrator any more'),
  'user:disable': changing({ disabled: true }, 'is switched off'),
  'user:enable': changing({ disabled: false }, 'is switched on'),
  'user:reset-password': ({ accounts }, name) => resetPassword(accounts, name),
  'user:remove-second-factor': ({ accounts }, name) => removeSecondFactor(accounts, name),
  'credentials:rotate': ({ work }) => rotate(work),
};
const WITHOUT_NAME = ['user:list', 'credentials:rotate'];

await runCommand(() => {
  const [command = '', name = '', ...others] = process.argv.slice(2);
  const work = COMMANDS[command];
  if (!work) throw new Error(`Say what to do: ${Object.keys(COMMANDS).join(', ')}.`);
  if (!name && !WITHOUT_NAME.includes(command)) throw new Error(`Say to whom: ${command} <username>.`);
  refuseUnknown(command, WITHOUT_NAME.includes(command) && name ? [name, ...others] : others);
  return async (url, where) => {
    const dataSource = await new DataSource(dataSourceOptions(url, 4)).initialize();
    try {
      await readySchema(dataSource, loadConfig().migrations);
      const database = new Database(dataSource);
      const bus = new EventBus();
      const announced: DomainEvent[] = [];
      bus.forward((event) => announced.push(event));
      const said = await work(houseOf(dataSource, database, bus), name).catch((error: unknown) => {
        // Not seldom it is another database than was meant.
        throw error instanceof Problem ? new Error(`${error.message} The database: ${where}.`) : error;
      });
      await leaveNotices(database, announced);
      return said;
    } finally {
      await dataSource.destroy();
    }
  };
});

function houseOf(dataSource: DataSource, database: Database, bus: EventBus): House {
  const work = new UnitOfWork(dataSource, bus);
  return { work, accounts: new AccountAdministration(database, work, new AccountAudit(database)) };
}

function changing(change: RightsBody, said: string) {
  return async ({ accounts }: House, name: string): Promise<string> => {
    const { username } = await accounts.change(await accounts.idOf(name), change);
    return `${username} ${said}.`;
  };
}

async function list(accounts: AccountAdministration): Promise<string> {
  const lines: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await accounts.list({ limit: 100, ...(cursor === undefined ? {} : { cursor }) });
    for (const { username, email, kind, isAdmin, isAdvocate, disabled, createdAt } of page.items) {
      const marks = [isAdmin && 'administrator', isAdvocate && 'advocate', disabled && 'disabled'].filter(Boolean);
      lines.push([username, email ?? '-', kind, createdAt, marks.join(',') || '-'].join('\t'));
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return lines.join('\n') || 'There are no accounts yet.';
}

async function resetPassword(accounts: AccountAdministration, name: string): Promise<string> {
  const token = await accounts.resetPassword(await accounts.idOf(name));
  return `All logins of ${name} have ended, and the old password is void. Within an hour a new one is set with\nPOST /api/v1/auth/password/reset { "token": "${token}", "newPassword": "..." }`;
}

async function removeSecondFactor(accounts: AccountAdministration, name: string): Promise<string> {
  await accounts.removeSecondFactor(await accounts.idOf(name));
  return `${name} signs in with the password alone now; all logins of theirs have ended.`;
}

async function rotate(work: UnitOfWork): Promise<string> {
  const count = await rotateKeys(work, new SecretBox(loadConfig()));
  return `${count} secrets are sealed with the first ENCRYPTION_KEY now; the keys behind it are needed no more.`;
}
