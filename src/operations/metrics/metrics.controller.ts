import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import ipaddr from 'ipaddr.js';
import { createHash, timingSafeEqual } from 'node:crypto';
import { Registry } from 'prom-client';
import { Public } from '../../auth/stated-access.js';
import { Config } from '../../platform/config/config.js';
import { Problem } from '../../platform/http/problem.js';

/** What Prometheus reads. Public to the guard, since its reader has no account: it shows METRICS_TOKEN instead. */
@ApiExcludeController()
@Public()
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly registry: Registry,
    private readonly config: Config,
  ) {}

  @Get()
  async read(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<string> {
    if (!this.mayRead(request)) throw Problem.unauthorized('Metrics are read with METRICS_TOKEN as a bearer token.');
    response.type(this.registry.contentType);
    return this.registry.metrics();
  }

  private mayRead(request: Request): boolean {
    const { metricsToken, production } = this.config;
    if (metricsToken === undefined) return !production && isFromHere(request);
    const [, shown = ''] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    return timingSafeEqual(digest(shown), digest(metricsToken));
  }
}

/** Whom a proxy on this machine speaks for is not from here, though the connection is. */
function isFromHere({ socket, headers }: Request): boolean {
  const address = socket.remoteAddress ?? '';
  const isProxied = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => name in headers);
  return !isProxied && ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
