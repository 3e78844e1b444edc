import { Controller, Get, Logger, ServiceUnavailableException } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { Public } from '../../auth/stated-access.js';
import { Problem } from '../../platform/http/problem.js';
import { Readiness } from './readiness.js';

@ApiExcludeController()
@Public()
@Controller('health')
export class HealthController {
  private readonly logger = new Logger(HealthController.name);

  constructor(
    private readonly health: HealthCheckService,
    private readonly readiness: Readiness,
  ) {}

  /** The process answers. */
  @Get('live')
  live(): { status: string } {
    return { status: 'ok' };
  }

  /** It can also do its work: `ok`, or `degraded` where something is missing that it can do without. Throws 503. */
  @Get('ready')
  async ready(): Promise<HealthCheckResult> {
    try {
      return await this.health.check(this.readiness.checks);
    } catch (error) {
      throw error instanceof ServiceUnavailableException
        ? this.notReady(error.getResponse() as HealthCheckResult)
        : error;
    }
  }

  /** What failed by name; why stays in the log, since anybody may ask. */
  private notReady({ status, error: down }: HealthCheckResult): Problem {
    this.logger.warn({ status, down }, 'this node is not ready');
    const names = Object.keys(down ?? {});
    const detail = status === 'shutting_down' ? 'This node is shutting down.' : `Not ready: ${names.join(', ')}.`;
    const errors = names.map((path) => ({ path, message: 'is down' }));
    return new Problem(503, 'not_ready', detail, errors);
  }
}
