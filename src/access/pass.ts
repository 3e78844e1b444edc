import type { Actor } from '../auth/actor.js';
import type { MessageRole } from '../messages/message.entity.js';
import type { Profile } from '../users/profile.presenter.js';
import type { Room, Standing } from './facts.js';

/** Who a message is by, as it is shown. */
export type Author = Profile | { id: string; name: string; avatarUrl: string | null; kind: 'agent' };

/**
 * Passes are proof that the door was gone through: the message code takes them instead of ids. Only access/ makes
 * them (a test looks for that); the protected field keeps look-alikes out.
 */
export class Reader {
  protected readonly made = true;

  constructor(
    readonly room: Room,
    readonly actor: Actor,
    readonly standing: Standing,
  ) {}
}

/** May send, and change what is their own. */
export class Writer extends Reader {
  get author(): Author {
    return this.actor.profile;
  }

  get role(): MessageRole {
    return this.standing === 'advocate' ? 'peer' : 'user';
  }
}

/** May also pin and unpin what anybody wrote. */
export class Pinner extends Writer {}

/** May also delete what others wrote. */
export class Moderator extends Writer {}

/** The owner of an agent session without an agent, who also writes down what its other side says. */
export class Scribe extends Moderator {
  override get role(): MessageRole {
    return 'agent';
  }
}

/** The agent of a session, answering in it. */
export class AnsweringAgent {
  protected readonly made = true;
  readonly role = 'agent';

  constructor(
    readonly room: Room,
    readonly author: Author,
  ) {}

  get agentId(): string {
    return this.author.id;
  }
}

/** The house itself, saying what happened in a channel. */
export class HouseVoice {
  protected readonly made = true;
  readonly role = 'system';
  readonly author = null;

  constructor(readonly room: Room) {}
}

/** The caller as a member of a server. */
export class ServerPass {
  protected readonly made = true;

  constructor(
    readonly serverId: string,
    readonly actor: Actor,
  ) {}
}
