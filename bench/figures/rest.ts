import { JwtService } from '@nestjs/jwt';
import { type Bench, SECONDS } from '../bench.js';
import { compare, type Figure, type Round } from '../support/compare.js';
import { type HttpResult, load, type Running, serve } from '../support/processes.js';

const FLOOR_SECRET = 'the floor needs no secret that is secret';
const BODY = { content: 'hello there, this is a message' };

export async function W3({ house, rounds }: Bench): Promise<Figure[]> {
  const { tokens, channelIds } = await house.server(1, 1);
  const task = { method: 'POST', body: BODY, connections: 16, seconds: SECONDS };
  const about = { id: 'W3', what: 'POST a message, 16 connections', unit: 'requests / s', goal: '0.7 x' };
  const ours = { ...task, url: messagesOf(house.app, channelIds[0]), token: tokens[0] };
  return withExpress(house.databaseUrl, async (express, token) => [
    await compare(
      about,
      rounds,
      () => rate({ ...task, url: `${express.url}/rooms/a`, token }),
      () => rate(ours),
    ),
  ]);
}

export async function H1({ house, rounds }: Bench): Promise<Figure[]> {
  const { tokens, channelIds } = await house.server(1, 1);
  const post = { method: 'POST', body: BODY, connections: 4, seconds: 1 };
  const get = { method: 'GET', connections: 16, seconds: SECONDS };
  const about = { id: 'H1', what: 'newest page of 50', unit: 'requests / s', goal: '0.6 x' };
  const ours = { url: messagesOf(house.app, channelIds[0]), token: tokens[0] };
  return withExpress(house.databaseUrl, async (express, token) => {
    const floor = { url: `${express.url}/rooms/a`, token };
    await load('http.js', { ...post, ...ours });
    await load('http.js', { ...post, ...floor });
    return [
      await compare(
        about,
        rounds,
        () => rate({ ...get, ...floor }),
        () => rate({ ...get, ...ours }),
      ),
    ];
  });
}

async function withExpress<T>(databaseUrl: string, work: (express: Running, token: string) => Promise<T>): Promise<T> {
  const env = { FLOOR_DATABASE_URL: databaseUrl, FLOOR_SECRET, FLOOR_ROW_BYTES: '330' };
  const express = await serve('bench/floors/express.js', env);
  try {
    return await work(express, new JwtService({ secret: FLOOR_SECRET }).sign({ sub: 'floor' }));
  } finally {
    await express.stop();
  }
}

async function rate(task: object): Promise<Round> {
  const { perSecond, clientCpu } = await load<HttpResult>('http.js', task);
  return { value: perSecond, clientCpu };
}

function messagesOf(app: Running, channelId: string | undefined): string {
  return `${app.url}/api/v1/conversations/${channelId ?? ''}/messages`;
}
