import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { MessagesModule } from '../messages/messages.module.js';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { AccountsModule } from './accounts/accounts.module.js';
import { HealthController } from './health/health.controller.js';
import { Readiness } from './health/readiness.js';
import { HouseMetrics } from './metrics/house-metrics.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { NightlyPurge } from './retention/nightly-purge.js';
import { Purge } from './retention/purge.js';
import { StatisticsController } from './statistics/statistics.controller.js';
import { StatisticsService } from './statistics/statistics.service.js';

@Module({
  imports: [AccountsModule, MessagesModule, RealtimeModule, TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController, MetricsController, StatisticsController],
  providers: [HouseMetrics, NightlyPurge, Purge, Readiness, StatisticsService],
})
export class OperationsModule {}
