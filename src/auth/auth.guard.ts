import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';
import { Problem } from '../platform/http/problem.js';
import type { Actor } from './actor.js';
import { STATED_ACCESS, type StatedAccess } from './stated-access.js';

/** Guards every route. A route that does not state its access is closed. */
@Injectable()
export class AccessGuard extends AuthGuard('jwt') {
  constructor(private readonly reflector: Reflector) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<StatedAccess | undefined>(STATED_ACCESS, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (access === 'public') return true;
    if (access === undefined) throw Problem.forbidden('This route states no access, so it is closed.');

    await super.canActivate(context);
    const { user } = context.switchToHttp().getRequest<Request & { user: Actor }>();
    if (access === 'administrator' && !user.isAdmin) throw Problem.notFound('This');
    return true;
  }

  override handleRequest<T>(error: unknown, user: T | false | null): T {
    if (error instanceof Error) throw error;
    if (!user) throw Problem.unauthorized();
    return user;
  }
}
