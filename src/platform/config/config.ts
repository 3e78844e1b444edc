import path from 'node:path';
import { compile as readProxies } from 'proxy-addr';
import { type AllowedHost, readAllowedHosts } from '../outbound/allowed-hosts.js';
import { type ConfigProblem, type Environment, readEnvironment } from './environment.js';
import { keptSecret, weakness } from './secrets.js';

/** What this node runs with: decided once at boot, never read from the environment again. */
export class Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  /** None: the embedded PostgreSQL under `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly poolSize: number;
  readonly migrations: 'auto' | 'manual';
  /** The folder of pg_dump and pg_restore, or `off`. None: those on PATH. */
  readonly pgTools: string | undefined;
  /** None: this node is the only one. */
  readonly redisUrl: string | undefined;
  readonly dataDir: string;
  /** Of one uploaded file. */
  readonly maxUploadBytes: number;
  /** Of one message. */
  readonly maxAttachments: number;
  readonly secretKey: string;
  /** The first one seals, all of them open. */
  readonly encryptionKeys: readonly string[];
  readonly algorithm: 'HS256' | 'HS384' | 'HS512';
  readonly accessTokenSeconds: number;
  readonly refreshTokenSeconds: number;
  readonly corsOrigins: readonly string[];
  readonly rateLimit: boolean;
  /** Sockets that one node holds, in all and of one account. */
  readonly maxConnections: number;
  readonly maxConnectionsOfUser: number;
  readonly trustProxy: boolean | number | string;
  /** None: mail is written to the log. */
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
  readonly legacyDialects: ReadonlySet<LegacyDialect>;
  /** The slug of the agent that answers clients of old systems that name none. None: the first that fits. */
  readonly legacyAgent: string | undefined;
  /** What is private and may be called all the same. */
  readonly outboundAllowedHosts: readonly AllowedHost[];
  /** How long an agent may take to answer. */
  readonly agentTimeoutSeconds: number;
  /** After how many days deleted messages, revisions and account events are purged. None: they are kept. */
  readonly retention: {
    readonly tombstoneDays: number | undefined;
    readonly revisionDays: number | undefined;
    readonly logDays: number | undefined;
  };
  /** The old SQLite file that `migration:run` carries over. */
  readonly legacySqlite: string | undefined;
  /** What a reader of /metrics must show. None: outside production callers of this machine may read them. */
  readonly metricsToken: string | undefined;
  readonly logLevel: string;

  constructor(values: Omit<Config, never>) {
    Object.assign(this, values);
  }
}

export class ConfigError extends Error {
  constructor(readonly problems: ConfigProblem[]) {
    super(
      ['The configuration is not usable:', ...problems.map(({ name, message }) => `  ${name} ${message}`)].join('\n'),
    );
  }
}

export const LEGACY_DIALECTS = ['characters', 'chat-sessions', 'peer-chat', 'conversations', 'servers'] as const;
export type LegacyDialect = (typeof LEGACY_DIALECTS)[number];

/** Takes the environment, gives the configuration. Throws ConfigError with every problem by name. */
export function loadConfig(source: NodeJS.ProcessEnv = process.env): Config {
  const { environment, problems } = readEnvironment(source);
  const production = environment.NODE_ENV === 'production';
  const dataDir = path.resolve(environment.DATA_DIR ?? '.data');
  const legacyDialects = readDialects(environment.LEGACY_API ?? 'on', problems);
  const corsOrigins = readOrigins(environment.CORS_ORIGINS ?? '', problems);
  const outboundAllowedHosts = readOutbound(environment.OUTBOUND_ALLOWED_HOSTS ?? '', problems);
  const trustProxy = readTrustProxy(environment.TRUST_PROXY ?? 'off', problems);
  checkSecrets(environment, production, problems);
  checkDatabase(environment, problems);
  if (problems.length > 0) throw new ConfigError(problems);

  return new Config({
    production,
    host: environment.HOST ?? '127.0.0.1',
    port: environment.PORT ?? 3000,
    databaseUrl: databaseUrl(environment),
    poolSize: environment.DB_POOL_SIZE ?? 20,
    migrations: environment.MIGRATIONS ?? 'auto',
    pgTools: environment.PG_TOOLS,
    redisUrl: environment.REDIS_URL,
    dataDir,
    maxUploadBytes: (environment.MAX_UPLOAD_MB ?? 25) * 1024 * 1024,
    maxAttachments: environment.MAX_ATTACHMENTS ?? 10,
    secretKey: environment.SECRET_KEY ?? kept(dataDir, 'secret.key'),
    encryptionKeys: keysIn(environment.ENCRYPTION_KEY) ?? [kept(dataDir, 'encryption.key')],
    algorithm: environment.ALGORITHM ?? 'HS256',
    accessTokenSeconds: (environment.ACCESS_TOKEN_EXPIRE_MINUTES ?? 30) * 60,
    refreshTokenSeconds: (environment.REFRESH_TOKEN_EXPIRE_DAYS ?? 30) * 86_400,
    corsOrigins,
    rateLimit: environment.RATE_LIMIT !== 'off',
    maxConnections: environment.MAX_CONNECTIONS ?? 50_000,
    maxConnectionsOfUser: environment.MAX_CONNECTIONS_PER_USER ?? (environment.RATE_LIMIT === 'off' ? Infinity : 100),
    trustProxy,
    smtpUrl: environment.SMTP_URL,
    mailFrom: environment.MAIL_FROM ?? 'Parley <parley@localhost>',
    legacyDialects,
    legacyAgent: environment.LEGACY_AGENT,
    legacySqlite: environment.LEGACY_SQLITE,
    outboundAllowedHosts,
    agentTimeoutSeconds: environment.AGENT_TIMEOUT_SECONDS ?? 120,
    retention: {
      tombstoneDays: environment.RETENTION_TOMBSTONE_DAYS,
      revisionDays: environment.RETENTION_REVISION_DAYS,
      logDays: environment.RETENTION_LOG_DAYS,
    },
    metricsToken: environment.METRICS_TOKEN,
    logLevel: environment.LOG_LEVEL ?? (production ? 'info' : 'warn'),
  });
}

function kept(dataDir: string, name: string): string {
  try {
    return keptSecret(dataDir, name);
  } catch (error) {
    throw new ConfigError([{ name: 'DATA_DIR', message: `cannot be used: ${(error as Error).message}` }]);
  }
}

function databaseUrl(environment: Environment): string | undefined {
  if (environment.DATABASE_URL) return environment.DATABASE_URL;
  if (!environment.DB_HOST) return undefined;
  const url = new URL('postgres://localhost');
  url.hostname = environment.DB_HOST.includes(':') ? `[${environment.DB_HOST}]` : environment.DB_HOST;
  url.port = String(environment.DB_PORT ?? 5432);
  url.username = encodeURIComponent(environment.DB_USER ?? 'postgres');
  url.password = encodeURIComponent(environment.DB_PASSWORD ?? '');
  url.pathname = `/${encodeURIComponent(environment.DB_NAME ?? 'parley')}`;
  return url.toString();
}

function checkDatabase(environment: Environment, problems: ConfigProblem[]): void {
  const parts = ['DB_PORT', 'DB_USER', 'DB_PASSWORD', 'DB_NAME'] as const;
  const given = parts.filter((name) => environment[name] !== undefined);
  if (!environment.DATABASE_URL && !environment.DB_HOST && given.length > 0) {
    problems.push({ name: 'DB_HOST', message: `is needed where ${given.join(', ')} is given` });
  }
}

function checkSecrets(environment: Environment, production: boolean, problems: ConfigProblem[]): void {
  const given = {
    SECRET_KEY: environment.SECRET_KEY ? [environment.SECRET_KEY] : [],
    ENCRYPTION_KEY: keysIn(environment.ENCRYPTION_KEY) ?? [],
  };
  for (const [name, secrets] of production ? Object.entries(given) : []) {
    if (secrets.length === 0) {
      problems.push({ name, message: 'must be given with NODE_ENV=production: at least 32 random characters' });
    }
    const weak = secrets.map(weakness).find((what) => what !== undefined);
    if (weak) problems.push({ name, message: weak });
  }
  if (production && !environment.SMTP_URL) {
    problems.push({ name: 'SMTP_URL', message: 'must be given with NODE_ENV=production: passwords are reset by mail' });
  }
}

/** ENCRYPTION_KEY may name several keys, newest first, while they are being exchanged. */
function keysIn(text: string | undefined): string[] | undefined {
  const keys = text
    ?.split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '');
  return keys && keys.length > 0 ? keys : undefined;
}

function readDialects(text: string, problems: ConfigProblem[]): Set<LegacyDialect> {
  if (text === 'on') return new Set(LEGACY_DIALECTS);
  if (text === 'off') return new Set();
  const names = text.split(',').map((name) => name.trim());
  const known = LEGACY_DIALECTS.filter((name) => names.includes(name));
  if (names.some((name) => !(known as string[]).includes(name))) {
    problems.push({ name: 'LEGACY_API', message: `must be on, off or a list of ${LEGACY_DIALECTS.join(', ')}` });
  }
  return new Set(known);
}

function readOrigins(text: string, problems: ConfigProblem[]): string[] {
  const origins = text
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      problems.push({
        name: 'CORS_ORIGINS',
        message: `has ${origin}, which is no origin such as https://chat.example`,
      });
    }
  }
  return origins;
}

function readOutbound(text: string, problems: ConfigProblem[]): AllowedHost[] {
  const { allowed, wrong } = readAllowedHosts(text);
  if (wrong.length > 0) {
    const message = `has ${wrong.join(', ')}, which is no host, host:port, address or range such as 10.0.0.0/8`;
    problems.push({ name: 'OUTBOUND_ALLOWED_HOSTS', message });
  }
  return allowed;
}

function readTrustProxy(text: string, problems: ConfigProblem[]): boolean | number | string {
  if (text === 'off' || text === 'false') return false;
  if (/^\d+$/.test(text)) return Number(text);
  try {
    readProxies(text.split(/ *, */));
  } catch {
    const message = 'must be off, a number of proxies, or addresses such as loopback or 10.0.0.0/8';
    problems.push({ name: 'TRUST_PROXY', message });
  }
  return text;
}
