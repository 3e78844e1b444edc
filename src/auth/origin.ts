import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

/** From where somebody calls. */
export interface Origin {
  device: string | null;
  address: string | null;
}

/** The origin of a request; its address is what TRUST_PROXY lets count. */
export const CallOrigin = createParamDecorator((_: unknown, context: ExecutionContext): Origin => {
  const request = context.switchToHttp().getRequest<Request>();
  return { device: request.get('user-agent')?.slice(0, 300) ?? null, address: request.ip ?? null };
});
