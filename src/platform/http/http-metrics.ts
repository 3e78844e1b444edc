import type { NextFunction, Request, Response } from 'express';
import { Histogram, type Registry } from 'prom-client';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Measures each request by the template of its route: a path with its ids would make a series of its own for every
 * conversation. What met no route is one series.
 */
export function httpMetrics(registry: Registry) {
  const duration = new Histogram({
    name: 'parley_http_request_duration_seconds',
    help: 'From the first byte of a request until its answer is out or its caller gone, by route template and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers: [registry],
  });
  return (request: Request, response: Response, next: NextFunction): void => {
    const started = performance.now();
    response.once('close', () => {
      const { method } = request;
      const labels = { method: KNOWN_METHODS.has(method) ? method : 'other', route: routeOf(request) };
      duration.observe({ ...labels, status: response.statusCode }, (performance.now() - started) / 1000);
    });
    next();
  };
}

const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function routeOf({ baseUrl, route }: Request): string {
  const path = (route as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? baseUrl + path : 'unmatched';
}
