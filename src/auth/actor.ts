import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { Profile } from '../users/profile.presenter.js';

/** Who is acting: a person, through one of their logins. */
export interface Actor {
  readonly userId: string;
  readonly loginId: string;
  readonly profile: Profile;
  readonly isAdmin: boolean;
  readonly isAdvocate: boolean;
  /** An administrator demands a second factor and there is none: nothing but setting one up is open. */
  readonly lacksSecondFactor: boolean;
}

/** The caller of a route, put there by the guard. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Actor => {
  const { user } = context.switchToHttp().getRequest<Request & { user?: Actor }>();
  if (!user) throw new Error('This route has no caller: it is public.');
  return user;
});
