import type { Config } from '../platform/config/config.js';

/** What a person who starts the app reads: where it is, and what to try next. */
export function welcomeText(config: Config, port: number, database: string): string {
  const host = config.host === '0.0.0.0' || config.host === '::' ? 'localhost' : config.host;
  const at = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (config.production) return `Parley listens on ${at}, database ${database}\n`;
  return `
Parley is ready.

  API       http://${at}/api/v1
  Docs      http://${at}/docs
  Socket    ws://${at}/api/v1/realtime
  Database  ${database}

Try it:

  curl -s http://${at}/api/v1/auth/register -H 'Content-Type: application/json' \\
    -d '{"username":"charles","email":"charles@example.org","password":"correct horse battery"}'

The README goes on from there. Ctrl-C stops it; what was said is kept.
`;
}
