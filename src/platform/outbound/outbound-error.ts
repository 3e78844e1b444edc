export type OutboundCode =
  'not_allowed' | 'redirected' | 'encoded' | 'timeout' | 'unreachable' | 'too_large' | 'broken';

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
  cause?: unknown;
}

/** Finds what is behind an error of a call, or of a body that was being read: causes may be nested. */
export function outboundError(error: unknown): OutboundError {
  for (let each = error; typeof each === 'object' && each !== null; each = (each as Failure).cause) {
    if (each instanceof OutboundError) return each;
    if ((each as Failure).code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
      return new OutboundError('too_large', 'Its answer is too large.', { cause: error });
    }
    if (isTimeout(each)) return new OutboundError('timeout', 'It did not answer in time.', { cause: error });
    if (NOT_CONNECTED.has((each as Failure).code ?? '')) {
      return new OutboundError('unreachable', 'It cannot be reached.', { cause: error });
    }
  }
  return new OutboundError('broken', 'The connection broke before the end of its answer.', { cause: error });
}

/** Nothing has been sent then: whoever calls again does nothing twice. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function isTimeout({ name, code }: Failure): boolean {
  return name === 'TimeoutError' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT';
}
