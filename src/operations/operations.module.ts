import { Module } from '@nestjs/common';
import { AccountsModule } from './accounts/accounts.module.js';
import { HealthController } from './health/health.controller.js';

@Module({ imports: [AccountsModule], controllers: [HealthController] })
export class OperationsModule {}
