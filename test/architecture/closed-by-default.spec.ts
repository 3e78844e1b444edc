import { Controller, Get, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants';
import { APP_GUARD, DiscoveryService, MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';

import { Test } from '@nestjs/testing';
import { PassportModule } from '@nestjs/passport';
import { AccessGuard } from '../../src/auth/auth.guard.js';
import { Public, STATED_ACCESS } from '../../src/auth/stated-access.js';
import { ACTIONS } from '../../src/access/verdict.js';
import { ProblemFilter } from '../../src/platform/http/problem.filter.js';
import { GeneralLimit } from '../../src/platform/limits/general-limit.js';
import { Frames } from '../../src/realtime/frames.js';
import { listening } from '../support/apart.js';
import { call } from '../support/people.js';
import { type Services, servicesOnOwnDatabase } from '../support/services.js';

interface Route {
  method: string;
  path: string;
  access: string | undefined;
}

describe('closed by default', () => {
  let services: Services;
  let url: string;
  let routes: Route[];

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    url = await listening(services);
    routes = routesOf(services);
  }, 60_000);

  afterAll(() => services.close());

  it('finds every route that the OpenAPI document knows', async () => {
    const { body } = await call(url, 'GET', '/openapi.json');
    const documented = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    );
    expect(documented.length).toBeGreaterThan(25);
    expect(routes.map(({ method, path }) => `${method} ${path}`)).toEqual(expect.arrayContaining(documented));
  });

  it('documents every operation with a summary, an answer and a name of its own', async () => {
    const { body } = await call(url, 'GET', '/openapi.json');
    const operations = Object.values<Record<string, any>>(body.paths).flatMap((methods) => Object.values(methods));
    const silent = operations.filter(({ summary, responses }) => {
      const answers = Object.entries<any>(responses).filter(([status]) => status.startsWith('2'));
      return !summary || !answers.some(([status, answer]) => /20[24]/.test(status) || answer.content);
    });
    expect(silent.map(({ operationId }) => operationId)).toEqual([]);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  });

  it('states the access of every route', () => {
    expect(routes.filter(({ access }) => access === undefined)).toEqual([]);
  });

  it('answers 401 on every route that is not public, to those without a token and with a made-up one', async () => {
    for (const { method, path } of routes.filter(({ access }) => access !== 'public')) {
      const concrete = path.replace(/:\w+/g, '01990000-0000-7000-8000-00000000dead');
      for (const headers of [{}, { authorization: 'Bearer made.up.token' }] as Record<string, string>[]) {
        const answer = await call(url, method, concrete, method === 'GET' ? undefined : {}, { headers });
        // Routes of the old systems answer in shapes of their own, which have no code.
        const said = answer.headers.has('deprecation') ? saysWhy(answer.body) : answer.body.code === 'unauthorized';
        expect([`${method} ${path}`, answer.status, said]).toEqual([`${method} ${path}`, 401, true]);
      }
    }
  });

  it('states the access of every frame', () => {
    const kinds = [...services.app.get(Frames).kinds];
    expect(kinds.length).toBeGreaterThan(5);
    expect(kinds.filter(([, { access }]) => access !== 'self' && !ACTIONS.includes(access))).toEqual([]);
  });

  it('refuses a route that states nothing', async () => {
    @Controller('careless')
    class CarelessController {
      @Get() silent() {
        return 'secret';
      }
      @Get('open') @Public() open() {
        return { ok: true };
      }
    }
    const module = await Test.createTestingModule({
      imports: [PassportModule],
      controllers: [CarelessController],
      providers: [
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: GeneralLimit, useValue: services.app.get(GeneralLimit) },
      ],
    }).compile();
    const careless = module.createNestApplication({ logger: false }).useGlobalFilters(new ProblemFilter());
    await careless.listen(0, '127.0.0.1');
    const at = await careless.getUrl();
    expect((await call(at, 'GET', '/careless')).status).toBe(403);
    expect((await call(at, 'GET', '/careless/open')).status).toBe(200);
    await careless.close();
  });
});

function saysWhy({ error, detail }: Record<string, unknown>): boolean {
  return (error ?? detail) === 'A valid access token is needed.';
}

/** Read from the controllers themselves, and not from a list that somebody keeps. */
function routesOf({ app }: Services): Route[] {
  const discovery = new DiscoveryService(app.get(ModulesContainer));
  const reflector = new Reflector();
  const scanner = new MetadataScanner();
  return discovery.getControllers().flatMap(({ instance, metatype }) => {
    if (!metatype || !instance) return [];
    const prototype = Object.getPrototypeOf(instance) as object;
    const bases = [Reflect.getMetadata(PATH_METADATA, metatype) as string | string[]].flat();
    return scanner.getAllMethodNames(prototype).flatMap((name): Route[] => {
      const handler = (prototype as Record<string, () => unknown>)[name] as () => unknown;
      const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
      if (method === undefined) return [];
      const access = reflector.getAllAndOverride<string | undefined>(STATED_ACCESS, [handler, metatype]);
      const paths = [Reflect.getMetadata(PATH_METADATA, handler) as string | string[]].flat();
      return bases.flatMap((base) =>
        paths.map((path) => ({
          method: RequestMethod[method],
          path: `/${[base, path]
            .map((part) => part.replace(/^\/|\/$/g, ''))
            .filter(Boolean)
            .join('/')}`,
          access,
        })),
      );
    });
  });
}
