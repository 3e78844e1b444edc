import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { Request } from 'express';
import { Problem } from './problem.js';
import { checked } from './validation.js';

type Handler = ReturnType<ExecutionContext['getHandler']>;

type Call = Pick<Request, 'method' | 'path' | 'headers'> & { body?: unknown };

class Nothing {}

/**
 * Holds a call against what its route says of a body. One that takes none refuses fields as every other one does: by
 * name, with 400, so that whoever believes to have said something learns that it is not heard. An empty object says
 * nothing. One that takes JSON and is sent something else answers 415, and not that all fields are missing. What a GET
 * carries has no meaning (RFC 9110, 9.3.1), and old clients are not taught new manners.
 */
export class StatedBodies implements CanActivate {
  private readonly bodies = new WeakMap<Handler, boolean>();

  canActivate(context: ExecutionContext): boolean {
    const call = context.switchToHttp().getRequest<Call>();
    const { body, method, path } = call;
    if (method === 'GET' || !path.startsWith('/api/v1/')) return true;
    const takes = this.takesBody(context.getClass(), context.getHandler());
    if (takes && body === undefined && carriesSomething(call)) {
      throw new Problem(415, 'unsupported_media_type', 'Send JSON, with the header Content-Type: application/json.');
    }
    if (!takes && body !== undefined) checked(Nothing, body);
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

function carriesSomething({ headers }: Call): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
