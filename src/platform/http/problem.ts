export interface FieldError {
  /** Where in the input, as a dotted path. */
  path: string;
  message: string;
}

/**
 * A refusal that the caller may see, on HTTP (RFC 9457) and on the socket alike.
 * `code` is the stable machine word; nothing internal ever goes into `detail`.
 */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly errors?: FieldError[],
    /** Sent with it, such as Retry-After. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
  }

  static validation(errors: FieldError[]): Problem {
    const detail = errors.map(({ path, message }) => (path ? `${path} ${message}` : message)).join('; ');
    return new Problem(400, 'validation_failed', detail, errors);
  }

  static invalid(path: string, message: string): Problem {
    return Problem.validation([{ path, message }]);
  }

  static unauthorized(detail = 'A valid access token is needed.'): Problem {
    return new Problem(401, 'unauthorized', detail);
  }

  static forbidden(detail = 'You may not do this here.'): Problem {
    return new Problem(403, 'forbidden', detail);
  }

  static notFound(what = 'This'): Problem {
    return new Problem(404, 'not_found', `${what} does not exist.`);
  }

  static conflict(code: string, detail: string): Problem {
    return new Problem(409, code, detail);
  }

  static unavailable(detail = 'The service cannot do this right now. Try again shortly.'): Problem {
    return new Problem(503, 'unavailable', detail);
  }
}
