import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { v7 as uuidv7 } from 'uuid';
import { AccessService } from '../../src/access/access.service.js';
import type { Actor } from '../../src/auth/actor.js';
import { FileSweep } from '../../src/messages/attachments/file-sweep.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { loadConfig } from '../../src/platform/config/config.js';
import { FileStore, thumbnailOf } from '../../src/platform/files/file-store.js';
import { SessionsService } from '../../src/sessions/sessions.service.js';
import { actor, type Services, servicesOnOwnDatabase } from '../support/services.js';
import { until } from '../support/until.js';

describe('files', () => {
  let services: Services;
  let files: FileStore;
  let ada: Actor;

  beforeAll(async () => {
    services = await servicesOnOwnDatabase();
    files = services.app.get(FileStore);
    ada = await actor(services.dataSource, 'ada');
  }, 60_000);

  afterAll(() => services.close());

  /** A file with its attachment, uploaded so many hours ago. */
  const uploaded = async (hours = 0): Promise<string> => {
    const id = uuidv7();
    for (const name of [id, thumbnailOf(id)]) await files.write(name, Readable.from(['content']));
    await services.dataSource.query(
      `INSERT INTO attachments (id, uploader_id, name, type, size, created_at)
       VALUES ($1, $2, 'a', 'text/plain', 7, now() - make_interval(hours => $3))`,
      [id, ada.userId, hours],
    );
    return id;
  };
  const isThere = (id: string) => existsSync(files.pathOf(id)) || existsSync(files.pathOf(thumbnailOf(id)));
  const sweep = () => services.app.get(FileSweep).sweep();
  const sentIn = async (room: string, attachmentIds: string[]) => {
    const writer = await services.app.get(AccessService).enter(ada, room, 'write');
    return services.app.get(MessagesService).append(writer, { content: 'with files', attachmentIds });
  };
  const newRoom = async () => (await services.app.get(SessionsService).create(ada, { type: 'peer' })).session.id;

  it('that were not sent within a day are swept away, others are not', async () => {
    const [old, fresh, sent] = [await uploaded(25), await uploaded(23), await uploaded(100)];
    await sentIn(await newRoom(), [sent]);
    await sweep();
    expect([old, fresh, sent].map(isThere)).toEqual([false, true, true]);
  });

  it('are not swept away in a circle with who sends several of them', async () => {
    const { dataSource } = services;
    // Of an earlier id is what was received later.
    const [late, held, early] = [await uploaded(25), await uploaded(26), await uploaded(27)];
    const room = await newRoom();
    const holder = dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query(`SELECT 1 FROM attachments WHERE id = $1 FOR UPDATE`, [held]);
    const work: Promise<unknown>[] = [];
    /** Goes on where it has ended, or waits as one more of them. */
    const begin = async (doing: Promise<unknown>) => {
      let ended = false;
      work.push(doing.catch((error: unknown) => error).finally(() => (ended = true)));
      const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      await until(async () => ended || (await dataSource.query(waiting)).length >= work.length);
    };
    await begin(sweep());
    await begin(sentIn(room, [late, early]));
    await holder.rollbackTransaction();
    await holder.release();
    expect(await Promise.all(work)).toMatchObject([undefined, { status: 400 }]);
  });

  it('go with what they were sent in: a message, everything in a session, a session, an account', async () => {
    const rooms = [await newRoom(), await newRoom(), await newRoom()] as const;
    const ids = [await uploaded(), await uploaded(), await uploaded()] as const;
    const first = await sentIn(rooms[0], [ids[0]]);
    await sentIn(rooms[1], [ids[1]]);
    await sentIn(rooms[2], [ids[2]]);
    const access = services.app.get(AccessService);
    await services.app.get(MessagesService).delete(await access.enter(ada, rooms[0], 'write'), first.message.id);
    await services.app.get(MessagesService).clear(await access.enter(ada, rooms[1], 'clear'));
    await services.app.get(SessionsService).delete(await access.enter(ada, rooms[2], 'own'));
    expect(ids.map(isThere)).toEqual([true, true, true]);
    await sweep();
    expect(ids.map(isThere)).toEqual([false, false, false]);
    expect(await services.dataSource.query(`SELECT 1 FROM stray_files`)).toEqual([]);
  });

  it('that a crash left behind are known and go after a day, and not while they may still be on their way', async () => {
    const [left, arriving] = [uuidv7(), uuidv7()];
    for (const id of [left, arriving]) await files.write(id, Readable.from(['content']));
    await services.dataSource.query(
      `INSERT INTO stray_files (id, remove_after) VALUES ($1, now() - interval '1 second'), ($2, now() + interval '1 hour')`,
      [left, arriving],
    );
    await sweep();
    expect([left, arriving].map(isThere)).toEqual([false, true]);
  });

  it('are swept away though there is one among them that cannot be, which is tried again later', async () => {
    const [stuck, left] = [uuidv7(), uuidv7()];
    // A folder is not removed as a file: it stands for whatever the disk refuses.
    await mkdir(files.pathOf(stuck), { recursive: true });
    await files.write(left, Readable.from(['content']));
    await services.dataSource.query(
      `INSERT INTO stray_files (id, remove_after) VALUES ($1, now() - interval '2 seconds'), ($2, now() - interval '1 second')`,
      [stuck, left],
    );
    await sweep();
    expect([stuck, left].map(isThere)).toEqual([true, false]);
    expect(
      await services.dataSource.query(`SELECT id, remove_after > now() AS later FROM stray_files WHERE id = ANY($1)`, [
        [stuck, left],
      ]),
    ).toEqual([{ id: stuck, later: true }]);
  });

  it('are stored whole or not at all', async () => {
    const id = uuidv7();
    const failing = Readable.from(
      (function* () {
        yield 'a beginning';
        throw new Error('the sender left');
      })(),
    );
    await expect(files.write(id, failing)).rejects.toThrow('the sender left');
    const gone = Readable.from(['x']).destroy(new Error('gone before'));
    gone.on('error', () => undefined);
    await expect(files.write(id, gone)).rejects.toThrow();
    expect(existsSync(files.pathOf(id)) || existsSync(`${files.pathOf(id)}.part`)).toBe(false);
  });

  it.each(['../secret.key', 'a/b', '', '..', `${'0'.repeat(36)}.webp/../x`])('have no name such as %j', (name) => {
    expect(() => files.pathOf(name)).toThrow();
  });

  it('find a full disk named as what it is', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'parley-full-'));
    const full = new FileStore(loadConfig({ DATA_DIR: dataDir, SECRET_KEY: 'x'.repeat(32), ENCRYPTION_KEY: 'y' }));
    const noRoom = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    const content = new Readable({ read: () => undefined }).on('error', () => undefined);
    const writing = full.write(uuidv7(), content);
    content.destroy(noRoom);
    await expect(writing).rejects.toMatchObject({ status: 507, code: 'storage_full' });
    await rm(dataDir, { recursive: true });
  });
});
