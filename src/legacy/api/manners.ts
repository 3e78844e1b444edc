import type { NextFunction, Request, Response } from 'express';
import type { Problem } from '../../platform/http/problem.js';
import { type ProblemShape, shapeProblems } from '../../platform/http/problem.filter.js';
import type { LegacyDialect } from '../../platform/config/config.js';

/** When the old routes became deprecated, as RFC 9745 writes it: 2026-11-21. */
const DEPRECATED = '@1795219200';

/** How one old system answers: on which paths, with what errors, and what takes its place. */
interface Manners {
  dialect: LegacyDialect;
  owns: (path: string, request: Request) => boolean;
  problem: ProblemShape;
  successor: string;
}

const under =
  (...roots: string[]) =>
  (path: string) =>
    roots.some((root) => path === root || path.startsWith(`${root}/`));

const peerChatProblem = (problem: Problem) => ({ ok: false, error: peerChatWords(problem) });

/** The first that fits speaks. */
const ALL_MANNERS: Manners[] = [
  {
    dialect: 'servers',
    owns: under('/chat/servers'),
    problem: ({ detail }) => ({ detail }),
    successor: '/api/v1/servers',
  },
  {
    dialect: 'chat-sessions',
    owns: under('/chat_sessions'),
    problem: ({ detail }) => ({ error: detail }),
    successor: '/api/v1/sessions',
  },
  {
    dialect: 'peer-chat',
    owns: (path, { query }) => path === '/api/chat/sessions' && asksForPeerChat(query),
    problem: peerChatProblem,
    successor: '/api/v1/sessions',
  },
  {
    dialect: 'characters',
    owns: under('/api/chat/sessions'),
    problem: ({ detail }) => ({ error: detail, message: detail }),
    successor: '/api/v1/sessions',
  },
  {
    dialect: 'peer-chat',
    owns: under('/api/chat', '/api/peer-chat'),
    problem: peerChatProblem,
    successor: '/api/v1/sessions',
  },
  {
    dialect: 'conversations',
    owns: (path) => ['/register', '/login', '/logout'].includes(path),
    problem: ({ detail }) => ({ error: detail }),
    successor: '/api/v1/auth',
  },
  {
    dialect: 'conversations',
    owns: (path) => path === '/chat',
    problem: ({ detail }) => ({ error: detail }),
    successor: '/api/v1/sessions',
  },
];

/** `GET /api/chat/sessions` is a word of two dialects: only one of them names a person or a type. */
export function asksForPeerChat(query: object): boolean {
  return ['userId', 'type', 'peerAdvocateId'].some((name) => name in query);
}

/**
 * Marks every answer of an old route as deprecated (RFC 9745) and names its successor (RFC 5829), and gives its errors
 * the old shape. Stands before everything else, so that limits and the body parser answer in it too.
 */
export function oldManners(spoken: ReadonlySet<string>) {
  return (request: Request, response: Response, next: NextFunction): void => {
    // As Express matches routes: any letter case, with or without a slash at the end.
    const path = request.path.toLowerCase().replace(/(?<=.)\/$/, '');
    const manners = ALL_MANNERS.find(({ dialect, owns }) => spoken.has(dialect) && owns(path, request));
    if (manners) {
      response.setHeader('Deprecation', DEPRECATED);
      response.setHeader('Link', `<${manners.successor}>; rel="successor-version", </docs>; rel="deprecation"`);
      shapeProblems(response, manners.problem);
    }
    next();
  };
}

function peerChatWords({ status, detail }: Problem): string {
  if (status === 404 && /^This (session|conversation) /.test(detail)) return 'Session not found';
  return detail;
}
