import type { NextFunction, Request, Response } from 'express';
import { randomUUID } from 'node:crypto';
import type { Logger as Pino } from 'pino';
import { withRequestId } from './request-context.js';

const ACCEPTED = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * Gives each request its id (the caller's X-Request-Id where it is harmless) and one log line at its end.
 * The query string stays out of the log: legacy clients put tokens there.
 */
export function requestLog(logger: Pino) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const given = request.headers['x-request-id'];
    const id = typeof given === 'string' && ACCEPTED.test(given) ? given : randomUUID();
    const started = performance.now();
    response.setHeader('X-Request-Id', id);
    response.once('close', () => {
      const { method, path } = request;
      const ms = Math.round(performance.now() - started);
      logger.info({ requestId: id, method, path, status: response.statusCode, ms }, 'request');
    });
    withRequestId(id, next);
  };
}
