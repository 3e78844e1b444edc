import { plainToInstance, Transform } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, Min, MinLength, ValidateBy, validateSync } from 'class-validator';
import { isIP } from 'node:net';

const toNumber = ({ value }: { value: unknown }) => (typeof value === 'string' ? Number(value) : value);

const Fits = (fits: (value: string) => boolean, message: string) =>
  ValidateBy({ name: 'fits', validator: { validate: fits } }, { message });

/** A password with a `#`, a `/` or a `?` in it that is not written as `%23` and so on makes it none. */
const IsAddress = (protocol: RegExp, message: string) =>
  Fits((value) => protocol.test(value) && URL.canParse(value), message);

const isHost = (value: string) => isIP(value) > 0 || /^[\w.-]+$/.test(value);

/** What may be set from outside, as text. Deciding what follows from it is config.ts. */
export class Environment {
  @IsOptional() @IsIn(['development', 'production', 'test']) NODE_ENV?: 'development' | 'production' | 'test';
  @IsOptional() @MinLength(1) HOST?: string;
  @IsOptional() @Transform(toNumber) @IsInt() @Min(0) @Max(65535) PORT?: number;

  @IsOptional() @IsAddress(/^postgres(ql)?:\/\/\S+$/, 'must be a postgres:// URL') DATABASE_URL?: string;
  @IsOptional() @Fits(isHost, 'must be a name or an address') DB_HOST?: string;
  @IsOptional() @Transform(toNumber) @IsInt() @Min(1) @Max(65535) DB_PORT?: number;
  @IsOptional() @IsString() DB_USER?: string;
  @IsOptional() @IsString() DB_PASSWORD?: string;
  @IsOptional() @IsString() DB_NAME?: string;
  @IsOptional() @Transform(toNumber) @IsInt() @Min(2) @Max(500) DB_POOL_SIZE?: number;
  @IsOptional() @IsString() PG_TOOLS?: string;
  @IsOptional() @IsIn(['auto', 'manual']) MIGRATIONS?: 'auto' | 'manual';

  @IsOptional() @IsString() DATA_DIR?: string;
  @IsOptional() @Transform(toNumber) @IsInt() @Min(1) @Max(10_000) MAX_UPLOAD_MB?: number;
  @IsOptional() @Transform(toNumber) @IsInt() @Min(0) @Max(100) MAX_ATTACHMENTS?: number;
  @IsOptional() @IsString() SECRET_KEY?: string;
  @IsOptional() @IsString() ENCRYPTION_KEY?: string;
  @IsOptional() @IsIn(['HS256', 'HS384', 'HS512']) ALGORITHM?: 'HS256' | 'HS384' | 'HS512';
  @IsOptional() @Transform(toNumber) @IsInt() @Min(1) @Max(1440) ACCESS_TOKEN_EXPIRE_MINUTES?: number;
  @IsOptional() @Transform(toNumber) @IsInt() @Min(1) @Max(365) REFRESH_TOKEN_EXPIRE_DAYS?: number;

  @IsOptional() @IsAddress(/^rediss?:\/\/\S+$/, 'must be a redis:// or rediss:// URL') REDIS_URL?: string;

  @IsOptional() @IsString() CORS_ORIGINS?: string;
  @IsOptional() @IsIn(['on', 'off']) RATE_LIMIT?: 'on' | 'off';
  @IsOptional() @Transform(toNumber) @IsInt() @Min(1) @Max(1_000_000) MAX_CONNECTIONS?: number;
  @IsOptional() @Transform(toNumber) @IsInt() @Min(1) @Max(1_000_000) MAX_CONNECTIONS_PER_USER?: number;
  @IsOptional() @IsString() TRUST_PROXY?: string;
  @IsOptional() @IsAddress(/^smtps?:\/\/\S+$/, 'must be an smtp:// or smtps:// URL') SMTP_URL?: string;
  @IsOptional() @IsString() MAIL_FROM?: string;
  @IsOptional() @IsString() LEGACY_API?: string;
  @IsOptional() @IsString() LEGACY_AGENT?: string;
  @IsOptional() @IsString() LEGACY_SQLITE?: string;
  @IsOptional() @IsString() OUTBOUND_ALLOWED_HOSTS?: string;
  @IsOptional() @Transform(toNumber) @IsInt() @Min(1) @Max(600) AGENT_TIMEOUT_SECONDS?: number;
  @IsOptional() @Transform(toNumber) @IsInt() @Min(1) @Max(36_500) RETENTION_TOMBSTONE_DAYS?: number;
  @IsOptional() @Transform(toNumber) @IsInt() @Min(1) @Max(36_500) RETENTION_REVISION_DAYS?: number;
  @IsOptional() @Transform(toNumber) @IsInt() @Min(1) @Max(36_500) RETENTION_LOG_DAYS?: number;
  @IsOptional() @MinLength(16, { message: 'must have 16 characters at least' }) METRICS_TOKEN?: string;
  @IsOptional()
  @IsIn(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
  LOG_LEVEL?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
}

export interface ConfigProblem {
  /** The name of the environment variable. */
  name: string;
  message: string;
}

/** Takes the process environment, gives the known variables typed, and every problem found, never only the first. */
export function readEnvironment(source: NodeJS.ProcessEnv): { environment: Environment; problems: ConfigProblem[] } {
  const known = Object.fromEntries(
    Object.entries(source)
      .map(([name, value]) => [name, value?.trim()] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const environment = plainToInstance(Environment, known);
  const problems = validateSync(environment, { forbidUnknownValues: false }).map((error) => ({
    name: error.property,
    message: Object.values(error.constraints ?? {})
      .map((text) => text.replace(`${error.property} `, ''))
      .join(', '),
  }));
  return { environment, problems };
}
