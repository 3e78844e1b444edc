import { defineEvent } from '../../platform/events/event.js';
import type { MemberView } from './member.presenter.js';

export const MemberAdded = defineEvent<{ serverId: string; member: MemberView }>('member.added');
export const MemberUpdated = defineEvent<{ serverId: string; member: MemberView }>('member.updated');
export const MemberRemoved = defineEvent<{ serverId: string; userId: string }>('member.removed');
