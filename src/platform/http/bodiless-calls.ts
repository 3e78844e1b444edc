import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { Request } from 'express';
import { checked } from './validation.js';

type Handler = ReturnType<ExecutionContext['getHandler']>;

type Call = Pick<Request, 'method' | 'path'> & { body?: unknown };

class Nothing {}

/**
 * A call that takes no body refuses fields as every other one does: by name, with 400, so that whoever believes to have
 * said something learns that it is not heard. An empty object says nothing. What a GET carries has no meaning (RFC 9110,
 * 9.3.1), and old clients are not taught new manners.
 */
export class BodilessCalls implements CanActivate {
  private readonly bodies = new WeakMap<Handler, boolean>();

  canActivate(context: ExecutionContext): boolean {
    const { body, method, path } = context.switchToHttp().getRequest<Call>();
    if (body === undefined || method === 'GET' || !path.startsWith('/api/v1/')) return true;
    if (!this.takesBody(context.getClass(), context.getHandler())) checked(Nothing, body);
    return true;
  }

  private takesBody(controller: Type, handler: Handler): boolean {
    const known = this.bodies.get(handler);
    if (known !== undefined) return known;
    const taken = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler.name) ?? {}) as object;
    const takes = Object.keys(taken).some((key) => key.startsWith(`${RouteParamtypes.BODY}:`));
    this.bodies.set(handler, takes);
    return takes;
  }
}
