import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../../ormconfig.js';
import { AppModule } from '../../app.module.js';
import { loadConfig } from '../../platform/config/config.js';
import { breakingChanges } from '../docs/breaking-changes.js';
import { openApiDocument } from '../docs/openapi.js';

/** Documents of releases: `openapi-<version>.json`, put there by `npm run release`. */
const RELEASES = 'docs/api';

const [command = 'write', file = 'openapi.json'] = process.argv.slice(2);
const document = await published();
const text = `${JSON.stringify(document, null, 2)}\n`;

if (command === 'write') {
  await writeFile(file, text);
  process.stdout.write(`wrote ${file}\n`);
} else if (command === 'check') {
  const isCurrent = (await readFile(file, 'utf8').catch(() => '')) === text;
  process.stdout.write(isCurrent ? `${file} is current\n` : `${file} is not what the app publishes: npm run openapi\n`);
  if (!isCurrent) process.exitCode = 1;
} else if (command !== 'breaks') {
  process.stderr.write('Say write, check or breaks.\n');
  process.exitCode = 1;
}
const breaks = await nameBreaks();
if (command === 'breaks' && breaks > 0) process.exitCode = 1;

/** Nothing is started, opened or read for it: Nest only looks at what there is (its preview mode). */
async function published(): Promise<OpenAPIObject> {
  const nowhere = 'postgres://nowhere/none';
  const config = loadConfig({ DATABASE_URL: nowhere, SECRET_KEY: 'unused', ENCRYPTION_KEY: 'unused' });
  const module = AppModule.with(config, new DataSource(dataSourceOptions(nowhere)));
  const app = await NestFactory.create(module, { preview: true, logger: false, abortOnError: false });
  return openApiDocument(app);
}

/** Says what breaks clients of the last release; gives how much. */
async function nameBreaks(): Promise<number> {
  const release = await lastRelease();
  if (!release) return 0;
  const before = JSON.parse(await readFile(path.join(RELEASES, release), 'utf8')) as OpenAPIObject;
  const breaks = breakingChanges(before, document);
  const lines = breaks.map((each) => `  ${each}\n`).join('');
  if (breaks.length > 0) process.stdout.write(`Breaks clients of ${before.info.version}:\n${lines}`);
  return breaks.length;
}

async function lastRelease(): Promise<string | undefined> {
  const files = await readdir(RELEASES).catch(() => []);
  const byVersion = new Intl.Collator('en', { numeric: true });
  return files
    .filter((name) => /^openapi-.+\.json$/.test(name))
    .sort((a, b) => byVersion.compare(a, b))
    .at(-1);
}
