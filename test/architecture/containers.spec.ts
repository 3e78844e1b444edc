import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { loadConfig } from '../../src/platform/config/config.js';

interface Service {
  environment?: Record<string, string>;
  env_file?: string[];
  volumes?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
}

interface Compose {
  services: Record<'app' | 'postgres' | 'redis', Service>;
  volumes: Record<string, unknown>;
}

const read = (file: string) => readFile(new URL(`../../${file}`, import.meta.url), 'utf8');

describe('docker-compose.yml', () => {
  let compose: Compose;

  beforeAll(async () => {
    compose = parse(await read('docker-compose.yml')) as Compose;
  });

  it('has no secret of its own: each is demanded from .env', () => {
    const { app, postgres } = compose.services;
    const secrets = [
      app.environment?.SECRET_KEY,
      app.environment?.ENCRYPTION_KEY,
      app.environment?.DB_PASSWORD,
      postgres.environment?.POSTGRES_PASSWORD,
    ];
    for (const secret of secrets) expect(secret).toMatch(/^\$\{(SECRET_KEY|ENCRYPTION_KEY|POSTGRES_PASSWORD):\?.+\}$/);
  });

  it('gives the app all that production demands, and whatever else stands in .env', async () => {
    const { app } = compose.services;
    const given = { SECRET_KEY: randomBytes(32).toString('hex'), ENCRYPTION_KEY: randomBytes(32).toString('hex') };
    const dotEnv: Record<string, string> = {
      ...given,
      POSTGRES_PASSWORD: 'a password',
      SMTP_URL: 'smtp://mail.example:587',
      DATABASE_URL: 'postgres://elsewhere/other',
      PORT: '8080',
      HOST: '127.0.0.1',
      NODE_ENV: 'development',
      OUTBOUND_ALLOWED_HOSTS: 'n8n:5678',
    };
    const demanded = Object.values(app.environment ?? {}).flatMap((value) => /^\$\{(\w+):\?/.exec(value)?.[1] ?? []);
    expect(Object.keys(dotEnv)).toEqual(expect.arrayContaining(demanded));
    const image = /^ENV (.+)$/m.exec((await read('Dockerfile')).split(/^FROM /m).at(-1)!)?.[1] ?? '';
    const fromImage = Object.fromEntries(image.split(' ').map((pair) => pair.split('=')));
    const fromFile = app.env_file?.includes('.env') ? dotEnv : {};
    const interpolated = Object.entries(app.environment ?? {}).map(([name, value]) => [
      name,
      value.replace(/\$\{(\w+)(?::[-?][^}]*)?\}/g, (_, variable: string) => dotEnv[variable] ?? ''),
    ]);
    const config = loadConfig({ ...fromImage, ...fromFile, ...Object.fromEntries(interpolated) });
    expect(config).toMatchObject({ production: true, host: '0.0.0.0', port: 3000, dataDir: '/data' });
    expect(config.databaseUrl).toBe('postgres://parley:a%20password@postgres:5432/parley');
    expect(config.smtpUrl).toBe('smtp://mail.example:587');
    expect(config.outboundAllowedHosts).toHaveLength(1);
    expect(demanded.sort()).toEqual(['ENCRYPTION_KEY', 'POSTGRES_PASSWORD', 'SECRET_KEY', 'SMTP_URL']);
  });

  it('starts the app once what it needs is healthy', () => {
    expect(compose.services.app.depends_on).toEqual({
      postgres: { condition: 'service_healthy' },
      redis: { condition: 'service_healthy' },
    });
    expect(compose.services.postgres.healthcheck?.test).toContain('pg_isready');
    expect(compose.services.redis.healthcheck?.test).toEqual(['CMD', 'redis-cli', 'ping']);
  });

  it('keeps the data in volumes that it names', () => {
    expect(compose.services.postgres.volumes).toEqual(['postgres:/var/lib/postgresql']);
    expect(compose.services.app.volumes).toEqual(['data:/data']);
    expect(Object.keys(compose.volumes).sort()).toEqual(['data', 'postgres']);
  });
});

describe('Dockerfile', () => {
  it('runs as an unprivileged user, in production, and says how it is', async () => {
    const image = (await read('Dockerfile')).split(/^FROM /m).at(-1)!;
    expect(image).toMatch(/^USER node$/m);
    expect(image).toMatch(/^ENV NODE_ENV=production HOST=0\.0\.0\.0 PORT=3000 DATA_DIR=\/data$/m);
    expect(image).toMatch(/^HEALTHCHECK .*\\\n {2}CMD \["node", "-e", .*\/health\/live/m);
    expect(image.trimEnd()).toMatch(
      /\nCMD \["node", "--v8-pool-size=1", "--enable-source-maps", "dist\/src\/main\.js"\]$/,
    );
  });
});
