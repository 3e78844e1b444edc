import { Module } from '@nestjs/common';
import { LiveReplies } from './live-replies.js';

/** What is being said at this moment. Apart from the rest, for those who only tell it on. */
@Module({ providers: [LiveReplies], exports: [LiveReplies] })
export class LiveModule {}
