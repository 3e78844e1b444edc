import { Global, Module } from '@nestjs/common';
import { GeneralLimit } from './general-limit.js';
import { Limits } from './limits.js';

@Global()
@Module({ providers: [GeneralLimit, Limits], exports: [GeneralLimit, Limits] })
export class LimitsModule {}
