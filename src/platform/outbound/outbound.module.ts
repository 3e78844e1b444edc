import { Global, Module } from '@nestjs/common';
import { lookup } from 'node:dns';
import { Config } from '../config/config.js';
import { Outbound } from './outbound.js';

@Global()
@Module({
  providers: [{ provide: Outbound, inject: [Config], useFactory: (config: Config) => new Outbound(config, lookup) }],
  exports: [Outbound],
})
export class OutboundModule {}
