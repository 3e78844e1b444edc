import { Global, Module } from '@nestjs/common';
import { EventBridge } from './event-bridge.js';
import { NodeRegistry } from './node-registry.js';
import { RedisLink } from './redis-link.js';

@Global()
@Module({ providers: [RedisLink, EventBridge, NodeRegistry], exports: [RedisLink] })
export class NodesModule {}
