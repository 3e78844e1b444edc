import { Controller, Get } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../../auth/stated-access.js';
import { Database } from '../../platform/database/database.js';

@ApiExcludeController()
@Public()
@Controller('health')
export class HealthController {
  constructor(private readonly database: Database) {}

  /** The process answers. */
  @Get('live')
  live(): { status: string } {
    return { status: 'ok' };
  }

  /** It can also do its work; 503 otherwise. */
  @Get('ready')
  async ready(): Promise<{ status: string }> {
    await this.database.query('SELECT 1');
    return { status: 'ok' };
  }
}
