import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const IMAGE = 'postgres:18-alpine';

/** Disposable data: nothing needs to survive a power cut. */
const CARELESS = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200'];

/**
 * The tests' PostgreSQL: TEST_DATABASE_URL where it is set, else a container where a Docker engine answers, else the
 * embedded one. Gives { description, url, stop() }; the url's user may create databases.
 */
export async function startPostgres() {
  if (process.env.TEST_DATABASE_URL) {
    return { description: 'TEST_DATABASE_URL', url: process.env.TEST_DATABASE_URL, stop: async () => {} };
  }
  if (!(await dockerAnswers())) return startEmbedded('embedded PostgreSQL (no Docker engine answers)');
  try {
    return await startContainer();
  } catch (error) {
    return startEmbedded(`embedded PostgreSQL (Docker answers, but ${IMAGE} did not start: ${error.message})`);
  }
}

async function startContainer() {
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer(IMAGE)
    .withEnvironment({ POSTGRES_PASSWORD: 'postgres' })
    .withCommand(['postgres', ...CARELESS.flatMap((setting) => ['-c', setting])])
    .withTmpFs({ '/var/lib/postgresql': 'rw' })
    .withExposedPorts(5432)
    // Once for the server that initialises the folder, once for the one that stays.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .start();
  return {
    description: `${IMAGE} in a container`,
    url: `postgres://postgres:postgres@${container.getHost()}:${container.getMappedPort(5432)}/postgres`,
    stop: async () => void (await container.stop()),
  };
}

async function startEmbedded(description) {
  const { openEmbeddedPostgres } = await importBuilt('src/platform/database/embedded/open.js');
  const folder = await mkdtemp(path.join(os.tmpdir(), 'parley-test-postgres-'));
  watchOver(folder);
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    const postgres = await openEmbeddedPostgres({ dataDir: folder, role: 'command', durable: false });
    const stop = async () => {
      await postgres.release();
      await remove();
    };
    return { description, url: postgres.url, stop };
  } catch (error) {
    await remove();
    throw error;
  }
}

function watchOver(folder) {
  const program = fileURLToPath(new URL('postgres-janitor.js', import.meta.url));
  // Detached, so that Ctrl-C does not reach it.
  const janitor = spawn(process.execPath, [program, folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  janitor.unref();
  janitor.stdin.unref();
}

/** Imports a module of the build; `npm test` builds first, a bare jest does not. */
export async function importBuilt(file) {
  const url = new URL(`../../dist/${file}`, import.meta.url);
  if (!existsSync(fileURLToPath(url))) throw new Error(`dist/${file} is missing: run \`npm run build\` before Jest.`);
  return import(url.href);
}

function dockerAnswers() {
  const address = dockerAddress(process.env.DOCKER_HOST);
  if (!address) return false;
  return new Promise((resolve) => {
    const request = http.get({ ...address, path: '/_ping', timeout: 1500 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
    request.on('close', () => resolve(false));
  });
}

function dockerAddress(host) {
  if (!host) return { socketPath: process.platform === 'win32' ? '//./pipe/docker_engine' : '/var/run/docker.sock' };
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  if (host.startsWith('npipe://')) return { socketPath: host.slice('npipe://'.length) };
  if (!URL.canParse(host) || !/^(tcp|http):$/.test(new URL(host).protocol)) return undefined;
  const { hostname, port } = new URL(host.replace(/^tcp:/, 'http:'));
  return { host: hostname, port: port || 2375 };
}
