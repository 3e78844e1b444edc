import { Global, Module } from '@nestjs/common';
import { Registry } from 'prom-client';

/** The one registry of this app. Whoever measures something registers it here; operations/ publishes it. */
@Global()
@Module({ providers: [{ provide: Registry, useFactory: () => new Registry() }], exports: [Registry] })
export class MetricsModule {}
