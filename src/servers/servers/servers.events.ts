import { defineEvent } from '../../platform/events/event.js';
import type { ServerView } from './server.presenter.js';

export const ServerUpdated = defineEvent<{ server: ServerView }>('server.updated');
export const ServerDeleted = defineEvent<{ serverId: string }>('server.deleted');
