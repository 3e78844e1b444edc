import { defineEvent } from '../../platform/events/event.js';
import type { CategoryView } from './category.presenter.js';
import type { ChannelView } from './channel.presenter.js';

/** A channel was made, renamed, described or moved. */
export const ChannelUpdated = defineEvent<{ channel: ChannelView }>('channel.updated');
/** A category was made, renamed or moved. */
export const CategoryUpdated = defineEvent<{ category: CategoryView }>('category.updated');
export const CategoryDeleted = defineEvent<{ serverId: string; categoryId: string }>('category.deleted');
