import { type DynamicModule, Module } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Config } from '../../platform/config/config.js';
import { ConfigModule } from '../../platform/config/config.module.js';
import { DatabaseModule } from '../../platform/database/database.module.js';
import { EventsModule } from '../../platform/events/events.module.js';
import { NodesModule } from '../../platform/nodes/nodes.module.js';
import { SecretsModule } from '../../platform/secrets/secrets.module.js';
import { ChannelsModule } from '../../servers/channels/channels.module.js';
import { MembershipsModule } from '../../servers/memberships/memberships.module.js';
import { ServersModule } from '../../servers/servers/servers.module.js';
import { UsersModule } from '../../users/users.module.js';
import { SampleServers } from './sample-servers.js';

/** As much of the house as the samples need, for a command beside the app: it answers nobody and takes up no work. */
@Module({})
export class SamplesModule {
  static with(config: Config, dataSource: DataSource): DynamicModule {
    const platform = [
      ConfigModule.with(config),
      DatabaseModule.with(dataSource),
      EventsModule,
      NodesModule,
      SecretsModule,
    ];
    return {
      module: SamplesModule,
      imports: [...platform, UsersModule, ServersModule, ChannelsModule, MembershipsModule],
      providers: [SampleServers],
    };
  }
}
