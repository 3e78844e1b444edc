import { type Bench, SECONDS } from '../bench.js';
import { compare, type Figure, replay, type Round } from '../support/compare.js';
import { type House, openHouse } from '../support/house.js';
import { fillRooms, userIdOf } from '../support/neighbourhood.js';
import { type HttpResult, load, type SocketResult } from '../support/processes.js';

const FEW = 10_000;
const MANY = Number(process.env.BENCH_MESSAGES ?? 1_000_000);

/** What a delivery costs with 5,000 who listen, beside what it costs with ten. */
export async function G1({ house, rounds }: Bench): Promise<Figure[]> {
  const perDelivery = async (listeners: number) => {
    const { tokens, channelIds } = await house.server(listeners + 1, 1);
    const [token = '', ...rest] = tokens;
    const task = { url: house.app.url, serverPids: house.pids, inFlight: 8, seconds: SECONDS, listeners: rest };
    return async (): Promise<Round> => {
      const senders = [{ token, rooms: channelIds }];
      const { serverCpu, delivered, clientCpu } = await load<SocketResult>('sockets.js', { ...task, senders });
      return { value: (serverCpu / delivered) * 1e6, clientCpu };
    };
  };
  const about = { id: 'G1', what: 'a delivery, 10 -> 5,000 listeners', unit: 'CPU µs', goal: '1.2 x at most' };
  return [await compare(about, rounds, await perDelivery(10), await perDelivery(5000))];
}

interface Grown {
  house: House;
  token: string;
  room: string;
}

/** What a send, the newest page and a page deep in history cost in a room of a million, beside one of ten thousand. */
export async function G2({ rounds }: Bench): Promise<Figure[]> {
  const few = await grown(FEW);
  const many = await grown(MANY);
  try {
    const what = `${FEW.toLocaleString('en-US')} -> ${MANY.toLocaleString('en-US')}`;
    const acks: { few: Round[]; many: Round[] } = { few: [], many: [] };
    const send = async ({ house, token, room }: Grown, side: Round[]): Promise<Round> => {
      const senders = Array.from({ length: 8 }, () => ({ token, rooms: [room] }));
      const task = {
        url: house.app.url,
        serverPids: house.pids,
        listeners: [],
        inFlight: 4,
        seconds: SECONDS,
        senders,
      };
      const { serverCpu, acked, clientCpu, ackP50 } = await load<SocketResult>('sockets.js', task);
      side.push({ value: ackP50, clientCpu });
      return { value: (serverCpu / acked) * 1e6, clientCpu };
    };
    const page = async ({ house, token, room }: Grown, query: string): Promise<Round> => {
      const url = `${house.app.url}/api/v1/conversations/${room}/messages${query}`;
      const task = { url, token, method: 'GET', connections: 1, seconds: SECONDS };
      const { p50, clientCpu } = await load<HttpResult>('http.js', task);
      return { value: p50, clientCpu };
    };
    const pages = (id: string, text: string, query: (messages: number) => string, goal: string) =>
      compare(
        { id, what: `${text}, ${what}`, unit: 'ms', goal },
        rounds,
        () => page(few, query(FEW)),
        () => page(many, query(MANY)),
      );
    return [
      await compare(
        { id: 'G2', what: `a send, ${what}`, unit: 'CPU µs', goal: '1.3 x at most' },
        rounds,
        () => send(few, acks.few),
        () => send(many, acks.many),
      ),
      await compare(
        { id: 'G2b', what: `an ack's p50, ${what}`, unit: 'ms', goal: '1.3 x at most' },
        rounds,
        replay(acks.few),
        replay(acks.many),
      ),
      await pages('G2c', 'newest page', () => '', '1.2 x at most'),
      await pages('G2d', 'a page half-way back', (messages) => `?before=${messages / 2}`, '1.5 x at most'),
    ];
  } finally {
    await few.house.close();
    await many.house.close();
  }
}

async function grown(messages: number): Promise<Grown> {
  const house = await openHouse();
  const { tokens, channelIds } = await house.server(1, 1);
  const [token = ''] = tokens;
  await fillRooms(house, channelIds, messages, userIdOf(token));
  return { house, token, room: channelIds[0] ?? '' };
}
