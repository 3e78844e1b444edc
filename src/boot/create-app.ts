import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { DataSource } from 'typeorm';
import { AppModule } from '../app.module.js';
import { oldManners } from '../legacy/api/manners.js';
import { publishDocs } from '../operations/docs/openapi.js';
import type { Config } from '../platform/config/config.js';
import { HttpAdapter } from '../platform/http/http-adapter.js';
import { setUpHttp } from '../platform/http/http.js';
import { createLogger, NestLogger } from '../platform/logging/logger.js';

/** Puts the app together on a migrated database; it does not listen yet. */
export async function createApp(config: Config, dataSource: DataSource): Promise<NestExpressApplication> {
  const logger = createLogger(config.logLevel);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(config, dataSource), new HttpAdapter(), {
    logger: new NestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  app.use(oldManners(config.legacyDialects));
  setUpHttp(app, config, logger);
  publishDocs(app);
  return app;
}
