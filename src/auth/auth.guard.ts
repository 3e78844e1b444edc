import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { Request, Response } from 'express';
import { Problem } from '../platform/http/problem.js';
import { GeneralLimit } from '../platform/limits/general-limit.js';
import type { Actor } from './actor.js';
import { STATED_ACCESS, type StatedAccess, WITHOUT_SECOND_FACTOR } from './stated-access.js';

/** Guards every route. A route that does not state its access is closed. */
@Injectable()
export class AccessGuard extends AuthGuard('jwt') {
  constructor(
    private readonly reflector: Reflector,
    private readonly limit: GeneralLimit,
  ) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const route = [context.getHandler(), context.getClass()];
    const access = this.reflector.getAllAndOverride<StatedAccess | undefined>(STATED_ACCESS, route);
    if (access === 'public') return true;
    if (access === undefined) throw Problem.forbidden('This route states no access, so it is closed.');

    await super.canActivate(context);
    const http = context.switchToHttp();
    const { user } = http.getRequest<Request & { user: Actor }>();
    await this.limit.spend(user.userId, http.getResponse<Response>());
    if (
      user.lacksSecondFactor &&
      !this.reflector.getAllAndOverride<boolean | undefined>(WITHOUT_SECOND_FACTOR, route)
    ) {
      throw secondFactorNeeded();
    }
    if (access === 'administrator' && !user.isAdmin) throw Problem.notFound('This');
    return true;
  }

  override handleRequest<T>(error: unknown, user: T | false | null): T {
    if (error instanceof Error) throw error;
    if (!user) throw Problem.unauthorized();
    return user;
  }
}

export function secondFactorNeeded(): Problem {
  return new Problem(403, 'second_factor_needed', 'An administrator demands a second factor: set one up first.');
}
