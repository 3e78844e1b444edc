import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import type { Logger as Pino } from 'pino';
import { Registry } from 'prom-client';
import type { Config } from '../config/config.js';
import { GeneralLimit } from '../limits/general-limit.js';
import { requestLog } from '../logging/request-log.js';
import { httpMetrics } from './http-metrics.js';
import { ProblemFilter, problemOf, sendProblem } from './problem.filter.js';
import { StatedBodies } from './stated-bodies.js';
import { CheckedInput } from './validation.js';

const BODY_LIMIT = '1mb';
/** What a page of another origin may read beside the body. */
const EXPOSED_HEADERS = [
  ...['X-Request-Id', 'Retry-After', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
  ...['Deprecation', 'Link'],
];

/** Everything about HTTP that no feature should have to think of. */
export function setUpHttp(app: NestExpressApplication, config: Config, logger: Pino): void {
  app.set('trust proxy', config.trustProxy);
  app.set('etag', false);
  app.disable('x-powered-by');
  app.use(requestLog(logger));
  app.use(httpMetrics(app.get(Registry)));
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  app.use(noStore);
  app.use(app.get(GeneralLimit).middleware);
  app.useBodyParser('json', { limit: BODY_LIMIT, strict: false });
  app.use(refuseBody);
  app.enableCors({
    origin: [...config.corsOrigins],
    exposedHeaders: EXPOSED_HEADERS,
  });
  app.useGlobalGuards(new StatedBodies());
  app.useGlobalPipes(new CheckedInput());
  app.useGlobalFilters(new ProblemFilter());
}

/** Answers for the body parser itself: further on Nest would turn its errors into ones that say less. */
function refuseBody(error: unknown, request: Request, response: Response, _next: NextFunction): void {
  sendProblem(request, response, problemOf(error));
}

/** What is answered to one person must not be kept by a cache for another. */
function noStore(_request: Request, response: Response, next: NextFunction): void {
  response.setHeader('Cache-Control', 'no-store');
  next();
}
