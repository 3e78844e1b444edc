export type OutboundCode = 'not_allowed' | 'redirected' | 'timeout' | 'unreachable' | 'too_large' | 'broken';

/** Why a call to another machine came to nothing. `message` may be shown to whoever set the address. */
export class OutboundError extends Error {
  constructor(
    readonly code: OutboundCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

interface Failure {
  name?: string;
  code?: string;
  message?: string;
  cause?: unknown;
}

/** Finds what is behind an error of fetch, or of a body that was being read: their causes are nested. */
export function outboundError(error: unknown): OutboundError {
  for (let each = error; typeof each === 'object' && each !== null; each = (each as Failure).cause) {
    if (each instanceof OutboundError) return each;
    if (isTimeout(each)) return new OutboundError('timeout', 'It did not answer in time.', { cause: error });
    if (isBreak(each)) {
      return new OutboundError('broken', 'The connection broke while it answered.', { cause: error });
    }
  }
  return new OutboundError('unreachable', 'It cannot be reached.', { cause: error });
}

function isTimeout({ name, code }: Failure): boolean {
  return name === 'TimeoutError' || /^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$/.test(code ?? '') || code === 'ETIMEDOUT';
}

/** undici's word for a body whose connection ends before it does. */
function isBreak({ name, message }: Failure): boolean {
  return name === 'TypeError' && message === 'terminated';
}
