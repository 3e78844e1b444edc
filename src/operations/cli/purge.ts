import 'dotenv/config';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../../ormconfig.js';
import { loadConfig } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import { readySchema } from '../../platform/database/migrate.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { EventBus } from '../../platform/events/event-bus.js';
import { NightlyPurge } from '../retention/nightly-purge.js';
import { Purge } from '../retention/purge.js';
import { refuseUnknown, runCommand } from './run-command.js';

await runCommand(() => {
  refuseUnknown('purge', process.argv.slice(2));
  return async (url) => {
    const config = loadConfig();
    const dataSource = await new DataSource(dataSourceOptions(url, 4)).initialize();
    try {
      await readySchema(dataSource, config.migrations);
      const purge = new Purge(new Database(dataSource), new UnitOfWork(dataSource, new EventBus()), config);
      const purged = await new NightlyPurge(dataSource, purge).run();
      if (!purged) return 'Another purge is running.';
      const { tombstones, revisions, events, logins } = purged;
      return `Gone: ${tombstones} deleted messages, ${revisions} revisions, ${events} account events, ${logins} logins.`;
    } finally {
      await dataSource.destroy();
    }
  };
});
