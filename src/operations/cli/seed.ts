import 'dotenv/config';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../../ormconfig.js';
import { loadConfig } from '../../platform/config/config.js';
import { readySchema } from '../../platform/database/migrate.js';
import { SampleServers } from '../samples/sample-servers.js';
import { SamplesModule } from '../samples/samples.module.js';
import { refuseUnknown, runCommand } from './run-command.js';

/** Any number of our own choice: of two seedings at once one waits for the other. */
const SEED_LOCK = 7_275_939_003;

await runCommand(() => {
  refuseUnknown('seed', process.argv.slice(2));
  return async (url) => {
    const config = loadConfig();
    const dataSource = await new DataSource(dataSourceOptions(url, 4)).initialize();
    await readySchema(dataSource, config.migrations);
    const house = await NestFactory.createApplicationContext(SamplesModule.with(config, dataSource), {
      logger: ['error'],
      abortOnError: false,
    });
    const holder = dataSource.createQueryRunner();
    try {
      await holder.query('SELECT pg_advisory_lock($1)', [SEED_LOCK]);
      const { servers, channels, members } = await house.get(SampleServers).seed();
      return `added ${servers} servers, ${channels} channels and ${members} memberships`;
    } finally {
      await holder.query('SELECT pg_advisory_unlock($1)', [SEED_LOCK]).catch(() => undefined);
      await holder.release();
      await house.close();
    }
  };
});
