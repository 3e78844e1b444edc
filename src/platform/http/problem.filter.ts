import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { Request, Response } from 'express';
import { STATUS_CODES } from 'node:http';
import { requestId } from '../logging/request-context.js';
import { databaseProblem } from './database-problem.js';
import { Problem } from './problem.js';

const CODES: Record<number, string> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  503: 'unavailable',
};

/** Answers every failure as RFC 9457 problem details. What is not foreseen is logged and answered as a bare 500. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const problem = problemOf(error);
    if (error instanceof Problem && problem.status >= 500) this.logger.warn({ code: problem.code }, 'request refused');
    else if (problem.status >= 500) this.logger.error({ err: error, code: problem.code }, 'request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    sendProblem(host.switchToHttp().getRequest<Request>(), response, problem);
  }
}

/** What an error looks like to clients that do not speak RFC 9457. */
export type ProblemShape = (problem: Problem) => object;

/** Lets every error of this response have another shape than problem details, wherever it is thrown. */
export function shapeProblems(response: Response, shape: ProblemShape): void {
  response.locals.problemShape = shape;
}

export function sendProblem(request: Request, response: Response, problem: Problem): void {
  const { problemShape } = response.locals as { problemShape?: ProblemShape };
  if (problemShape) {
    response.status(problem.status).set(problem.headers).json(problemShape(problem));
    return;
  }
  response
    .status(problem.status)
    .set(problem.headers)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: 'about:blank',
        title: STATUS_CODES[problem.status] ?? 'Error',
        status: problem.status,
        detail: problem.detail,
        code: problem.code,
        requestId: requestId() ?? request.headers['x-request-id'],
        errors: problem.errors,
      }),
    );
}

/** Gives what a caller may be told of any error. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HttpException) return fromStatus(error.getStatus(), error.message);
  const status = bodyParserStatus(error);
  if (status) return status;
  return databaseProblem(error) ?? new Problem(500, 'internal', 'Something went wrong on our side.');
}

function fromStatus(status: number, message: string): Problem {
  if (status >= 500) return new Problem(status, CODES[status] ?? 'internal', 'Something went wrong on our side.');
  return new Problem(status, CODES[status] ?? 'bad_request', message);
}

/** body-parser throws http-errors: `{ status, type, expose }`. */
function bodyParserStatus(error: unknown): Problem | undefined {
  if (typeof error !== 'object' || error === null || !('type' in error) || !('status' in error)) return undefined;
  if (error.type === 'entity.too.large') return new Problem(413, 'payload_too_large', 'The body is over 1 MiB.');
  if (error.type === 'entity.parse.failed') return new Problem(400, 'malformed_json', 'The body is not valid JSON.');
  const status = Number(error.status);
  if (status >= 400 && status < 500) return fromStatus(status, 'The body cannot be read.');
  return undefined;
}
