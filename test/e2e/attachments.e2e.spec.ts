import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import pg from 'pg';
import sharp from 'sharp';
import { crc32, deflateSync } from 'node:zlib';
import { type Answer, type Person, person, serverOf } from '../support/people.js';
import { runApp, type RunningApp } from '../support/run-app.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const MIB = 1024 * 1024;

describe('attachments', () => {
  let database: TestDatabase;
  let sql: pg.Client;
  let app: RunningApp;
  let ada: Person;
  let bob: Person;
  let eve: Person;
  let server: { id: string; general: string };

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await runApp({ DATABASE_URL: database.url, RATE_LIMIT: 'off', MAX_UPLOAD_MB: '2' });
    sql = new pg.Client(database.url);
    await sql.connect();
    [ada, bob, eve] = await Promise.all([person(app.url, 'ada'), person(app.url, 'bob'), person(app.url, 'eve')]);
    server = await serverOf(ada, bob);
    await upload(ada, 'the first');
  }, 60_000);

  afterAll(async () => {
    await sql.end();
    await app.stop();
    await database.drop();
  }, 60_000);

  const upload = async (who: Person, content: Buffer | string, name = 'file.bin', type = 'x/y'): Promise<Answer> => {
    const form = new FormData();
    form.append('file', new Blob([content as never], { type }), name);
    const response = await fetch(`${app.url}/api/v1/attachments`, {
      method: 'POST',
      headers: { authorization: `Bearer ${who.token}` },
      body: form,
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  const send = (who: Person, attachmentIds: string[], room = server.general) =>
    who.post(`/conversations/${room}/messages`, { content: 'see attached', attachmentIds });
  const sent = async (content: Buffer | string, name?: string): Promise<{ file: any; message: any }> => {
    const file = (await upload(ada, content, name)).body;
    return { file, message: (await send(ada, [file.id])).body };
  };
  const fetched = async (address: string, who?: Person, headers: Record<string, string> = {}) => {
    const response = await fetch(app.url + address, {
      headers: { ...(who && { authorization: `Bearer ${who.token}` }), ...headers },
    });
    return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
  };
  const filesOnDisk = () =>
    readdirSync(path.join(app.dataDir, 'files'), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    ).length;
  const moment = () => new Promise((resolve) => setTimeout(resolve, 20));
  const untilNoStrays = async () => {
    while ((await strays()) > 0) await moment();
  };
  const strays = async () => (await sql.query(`SELECT id FROM stray_files`)).rows.length;
  const picture = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: 'teal' } });

  it('go from an upload into a message, and to whoever reads it, byte by byte', async () => {
    const socket = await bob.socket();
    const content = randomBytes(1.5 * MIB);
    const { status, body } = await upload(ada, content, 'data.bin');
    expect([status, body]).toEqual([
      201,
      {
        id: body.id,
        name: 'data.bin',
        type: 'application/octet-stream',
        size: content.length,
        width: null,
        height: null,
        url: `/api/v1/attachments/${body.id}`,
        thumbnailUrl: null,
      },
    ]);
    const message = (await send(ada, [body.id])).body;
    expect(message.attachments).toEqual([body]);
    expect((await socket.next('message.created')).message.attachments).toEqual([body]);
    const history = (await bob.get(`/conversations/${server.general}/messages`)).body.items.at(-1);
    expect(history.attachments).toEqual([body]);
    const got = await fetched(body.url, bob);
    expect(createHash('sha256').update(got.bytes).digest('hex')).toBe(
      createHash('sha256').update(content).digest('hex'),
    );
    socket.close();
  });

  it('are sent over the socket too, several in the order they are named', async () => {
    const files = [];
    for (const name of ['a', 'b', 'c']) files.push((await upload(ada, name, `${name}.txt`)).body);
    const socket = await ada.socket();
    const attachmentIds = files.map(({ id }) => id).reverse();
    const ack = await socket.ask({
      type: 'message.send',
      conversationId: server.general,
      content: 'three',
      nonce: 'three',
      attachmentIds,
    });
    expect(ack.message.attachments.map(({ name }: { name: string }) => name)).toEqual(['c.txt', 'b.txt', 'a.txt']);
    const again = await socket.ask({
      type: 'message.send',
      conversationId: server.general,
      content: 'three',
      nonce: 'three',
      attachmentIds,
    });
    expect(again.message).toEqual(ack.message);
    socket.close();
  });

  it('that are pictures have a size and a thumbnail, turned as they are seen', async () => {
    const jpeg = await picture(1200, 600).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const { file } = await sent(jpeg, 'turned.jpg');
    expect(file).toMatchObject({ type: 'image/jpeg', width: 600, height: 1200 });
    const { headers, bytes } = await fetched(file.thumbnailUrl, bob);
    expect(headers.get('content-type')).toBe('image/webp');
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'webp', width: 200, height: 400 });
    expect((await fetched(file.url, bob)).headers.get('content-disposition')).toMatch(/^inline/);
  });

  it('are served in parts', async () => {
    const { file } = await sent('0123456789', 'digits.txt');
    const part = await fetched(file.url, bob, { range: 'bytes=2-4' });
    expect([part.status, part.bytes.toString(), part.headers.get('content-range')]).toEqual([
      206,
      '234',
      'bytes 2-4/10',
    ]);
    expect((await fetched(file.url, bob, { range: 'bytes=-3' })).bytes.toString()).toBe('789');
    expect((await fetched(file.url, bob, { range: 'bytes=20-' })).status).toBe(416);
    expect((await fetched(file.url, bob, { range: 'bytes=0-1,4-5' })).bytes.toString()).toBe('0123456789');
    // RFC 9110, 14.1.2 and 14.2: an end that is longer than the file is all of it, and a unit that nobody knows is none.
    const longer = await fetched(file.url, bob, { range: 'bytes=-65536' });
    expect([longer.status, longer.bytes.toString()]).toEqual([206, '0123456789']);
    expect((await fetched(file.url, bob, { range: 'pages=20-' })).status).toBe(200);
    const headers = { authorization: `Bearer ${bob.token}`, range: 'bytes=2-4' };
    const head = await fetch(app.url + file.url, { method: 'HEAD', headers });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10']);
    const empty = (await sent('', 'empty.txt')).file;
    expect(await fetched(empty.url, bob)).toMatchObject({ status: 200, bytes: Buffer.alloc(0) });
  });

  it('are found by has:attachment', async () => {
    const room = (await ada.post('/sessions', { type: 'peer' })).body.id;
    const file = (await upload(ada, 'x', 'x.txt')).body;
    const { body } = await send(ada, [file.id], room);
    await ada.say(room, 'attached is nothing');
    const found = await ada.get(`/search?q=attached&in=${room}&has=attachment`);
    expect(found.body.items.map((item: any) => item.message)).toEqual([body]);
  });

  describe('are out of reach', () => {
    it('for strangers, and for past members by every address they ever had', async () => {
      const carl = await person(app.url, 'carl');
      const own = await serverOf(ada, carl);
      const png = await picture(20, 20).png().toBuffer();
      const file = (await upload(ada, png, 'p.png')).body;
      await send(ada, [file.id], own.general);
      const link = (await carl.post(`/attachments/${file.id}/link`)).body;
      const addresses = [file.url, file.thumbnailUrl, link.url, link.thumbnailUrl];
      for (const address of addresses) expect((await fetched(address, carl)).status).toBe(200);
      expect((await fetched(link.url)).bytes.equals(png)).toBe(true);
      for (const address of [file.url, file.thumbnailUrl]) expect((await fetched(address, eve)).status).toBe(404);
      expect((await fetched(file.url)).status).toBe(401);
      expect((await eve.post(`/attachments/${file.id}/link`)).status).toBe(404);

      await ada.delete(`/servers/${own.id}/members/${carl.id}`);
      for (const address of addresses) expect([address, (await fetched(address, carl)).status]).toEqual([address, 404]);
      expect((await carl.post(`/attachments/${file.id}/link`)).status).toBe(404);
    });

    it('by a link once the login that made it has ended, or with any other token', async () => {
      const { file } = await sent('secret', 's.txt');
      const dora = await person(app.url, 'dora');
      await ada.post(`/servers/${server.id}/members`, { userId: dora.id });
      const { url, expiresAt } = (await dora.post(`/attachments/${file.id}/link`)).body;
      expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(300_000);
      expect((await fetched(url)).status).toBe(200);
      const token = new URLSearchParams(url.split('?')[1]).get('token') as string;
      const [login, seconds, mac] = token.split('.') as [string, string, string];
      const other = (await sent('other', 'o.txt')).file;
      const forged = [
        `/api/v1/attachments/${other.id}/linked?token=${token}`,
        `/api/v1/attachments/${file.id}/linked?token=${login}.${Number(seconds) + 1}.${mac}`,
        `/api/v1/attachments/${file.id}/linked?token=${login}.${seconds}.${'A'.repeat(43)}`,
        `/api/v1/attachments/${file.id}/linked?token=x`,
      ];
      for (const address of forged) expect([address, (await fetched(address)).status]).toEqual([address, 404]);
      expect((await fetched(`/api/v1/attachments/${file.id}/linked`)).status).toBe(400);
      await dora.post('/auth/logout');
      expect((await fetched(url)).status).toBe(404);
    });

    it('for everybody but the uploader until they are sent, and for everybody once they are deleted', async () => {
      const file = (await upload(ada, 'loose', 'l.txt')).body;
      expect((await fetched(file.url, ada)).status).toBe(200);
      expect((await fetched(file.url, bob)).status).toBe(404);
      const before = filesOnDisk();
      const message = (await send(ada, [file.id])).body;
      expect((await fetched(file.url, bob)).status).toBe(200);
      await ada.patch(`/conversations/${server.general}/messages/${message.id}`, { content: 'edited' });
      expect((await fetched(file.url, bob)).status).toBe(200);
      await ada.delete(`/conversations/${server.general}/messages/${message.id}`);
      expect((await fetched(file.url, ada)).status).toBe(404);
      const { items } = (await bob.get(`/conversations/${server.general}/messages`)).body;
      expect(items.at(-1)).toMatchObject({ content: null, attachments: [] });
      expect([before, await strays()]).toEqual([before, 1]);
    });
  });

  describe('refuse', () => {
    it("files that are somebody else's, gone, sent already, doubled or too many", async () => {
      const file = (await upload(ada, 'mine', 'm.txt')).body;
      const wrong = { status: 400, body: { code: 'validation_failed', errors: [{ path: 'attachmentIds' }] } };
      expect(await send(bob, [file.id])).toMatchObject(wrong);
      expect(await send(ada, [file.id, '01990000-0000-7000-8000-00000000dead'])).toMatchObject(wrong);
      expect(await send(ada, [file.id, file.id])).toMatchObject(wrong);
      expect(
        await send(
          ada,
          Array.from({ length: 11 }, () => file.id),
        ),
      ).toMatchObject(wrong);
      expect((await send(ada, ['no-id'])).status).toBe(400);
      const count = (await ada.get(`/conversations/${server.general}`)).body.lastSeq;
      expect((await send(ada, [file.id])).status).toBe(201);
      expect(await send(ada, [file.id])).toMatchObject(wrong);
      expect((await ada.get(`/conversations/${server.general}`)).body.lastSeq).toBe(count + 1);
      expect((await ada.delete(`/attachments/${file.id}`)).status).toBe(404);
      expect((await fetched(file.url, bob)).status).toBe(200);
    });

    it('to be in two messages, however many ask for them at once', async () => {
      const rooms = await Promise.all(
        Array.from({ length: 6 }, async () => (await ada.post('/sessions', { type: 'peer' })).body.id as string),
      );
      for (let round = 0; round < 5; round += 1) {
        const files = [(await upload(ada, 'a')).body.id, (await upload(ada, 'b')).body.id];
        const answers = await Promise.all(
          rooms.map((room, i) => send(ada, i % 2 ? files : [...files].reverse(), room)),
        );
        expect(answers.map(({ status }) => status).sort()).toEqual([201, 400, 400, 400, 400, 400]);
      }
    });

    it('a body that is no form with one file in it', async () => {
      const post = async (contentType: string, body: string | FormData) => {
        const headers = { authorization: `Bearer ${ada.token}`, ...(contentType && { 'content-type': contentType }) };
        const response = await fetch(`${app.url}/api/v1/attachments`, { method: 'POST', headers, body });
        return [response.status, ((await response.json()) as { code: string }).code];
      };
      const form = (...parts: [string, Blob | string][]) => {
        const made = new FormData();
        for (const [name, value] of parts) made.append(name, value);
        return made;
      };
      expect(await post('application/json', '{}')).toEqual([415, 'unsupported_media_type']);
      expect(await post('multipart/form-data', 'x')).toEqual([400, 'malformed_form']);
      expect(await post('multipart/form-data; boundary=x', 'nothing')).toEqual([400, 'malformed_form']);
      expect(await post('', form())).toEqual([400, 'validation_failed']);
      expect(await post('', form(['file', 'a text']))).toEqual([400, 'validation_failed']);
      expect(await post('', form(['other', new Blob(['x'])]))).toEqual([400, 'validation_failed']);
      expect(await post('', form(['file', new Blob(['x'])], ['file', new Blob(['y'])]))).toEqual([
        400,
        'validation_failed',
      ]);
      expect(await post('', form(['file', new Blob(['x'])], ['more', 'y']))).toEqual([400, 'validation_failed']);
    });
  });

  describe('survive attacks', () => {
    const files: [string, string | Buffer, string, string][] = [
      [
        'SVG',
        '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>',
        'a.png',
        'image/svg+xml',
      ],
      ['HTML', '<!doctype html><script>alert(document.domain)</script>', 'a.jpg', 'text/html'],
      ['XML with a stylesheet', '<?xml version="1.0"?><?xml-stylesheet href="x"?><a/>', 'a.gif', 'application/xml'],
      [
        'a script behind the signature of a GIF',
        Buffer.from('GIF89a/*\x01\x00*/=1;alert(1)//<script>alert(1)</script>', 'latin1'),
        'a.gif',
        'image/gif',
      ],
      ['PDF', '%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj', 'a.pdf', 'application/pdf'],
      ['a program', Buffer.from('MZ\x90\x00\x03\x00\x00\x00', 'latin1'), 'a.png', 'application/x-msdownload'],
    ];
    it.each(files)('%s, whatever it is called, is only ever a download of bytes', async (_, content, name, type) => {
      const form = (await upload(ada, content, name, 'image/png')).body;
      expect(form).toMatchObject({ type, width: null, thumbnailUrl: null });
      await send(ada, [form.id]);
      const link = (await bob.post(`/attachments/${form.id}/link`)).body;
      for (const answer of [await fetched(form.url, bob), await fetched(link.url)]) {
        expect(Object.fromEntries(answer.headers)).toMatchObject({
          'content-type': 'application/octet-stream',
          'content-disposition': expect.stringMatching(/^attachment/),
          'x-content-type-options': 'nosniff',
          'content-security-policy': expect.stringMatching(/default-src 'none'.*sandbox$/),
          'cache-control': 'private, no-store',
        });
      }
    });

    it('a picture that holds a page as well is shown as a picture in a sandbox', async () => {
      const polyglot = Buffer.concat([
        await picture(9, 9).jpeg().toBuffer(),
        Buffer.from('<html><script>alert(1)</script>'),
      ]);
      const { file } = await sent(polyglot, 'a.html');
      const { headers } = await fetched(file.url, bob);
      expect(file.type).toBe('image/jpeg');
      expect([headers.get('content-type'), headers.get('x-content-type-options')]).toEqual(['image/jpeg', 'nosniff']);
      expect(headers.get('content-security-policy')).toContain('sandbox');
    });

    it.each([
      ['claims more than it holds', 60_000],
      ['holds them', 9_000],
    ])('a bomb of pixels that %s is stored as the bytes that it is, and nothing is unpacked', async (_, side) => {
      const { status, body } = await upload(ada, bomb(side, side), 'bomb.png');
      expect([status, body.type, body.width, body.thumbnailUrl]).toEqual([201, 'image/png', null, null]);
      expect((await fetched(body.url, ada)).headers.get('content-disposition')).toMatch(/^attachment/);
      expect((await ada.get('/users/me')).status).toBe(200);
    });

    it.each([
      ['../../../etc/passwd', 'passwd'],
      ['..\\..\\windows\\win.ini', 'win.ini'],
      ['/etc/cron.d/x', 'x'],
      ['..', 'file'],
      ['. . .', 'file'],
      ['harmless\u202egnp.exe', 'harmlessgnp.exe'],
      ['a\r\nSet-Cookie: x=y\u0000.txt', 'aSet-Cookie_ x=y.txt'],
      ['"; filename="evil.html', '_; filename=_evil.html'],
      ['日本語 ファイル.txt', '日本語 ファイル.txt'],
      [`${'x'.repeat(300)}.jpeg`, `${'x'.repeat(115)}.jpeg`],
    ])('a name such as %j becomes %j', async (given, name) => {
      const { status, body } = await rawUpload(given, 'x');
      expect([status, body.name]).toEqual([201, name]);
      const { headers } = await fetched(body.url, ada);
      expect(headers.get('set-cookie')).toBeNull();
      expect(headers.get('content-disposition')).toMatch(
        /^attachment; filename="[\x20-\x7e]*"; filename\*=UTF-8''[\w.%~!-]+$/,
      );
      await ada.delete(`/attachments/${body.id}`);
    });

    it('five gigabytes are refused at once where they are announced, and after the first few where they are not', async () => {
      const before = filesOnDisk();
      await sql.query(`DELETE FROM stray_files`);
      expect(await answerTo(head(5 * 1024 * MIB))).toMatch(/^HTTP\/1.1 413 /);
      for (const length of [5 * 1024 * MIB, undefined]) {
        const { status, code, taken } = await flood(length);
        expect([length, status, code]).toEqual([length, 413, 'payload_too_large']);
        expect(taken).toBeLessThan(64 * MIB);
      }
      // What goes on behind the length that was said is no HTTP: Node ends the connection, with an answer or without.
      expect((await flood(5000)).taken).toBeLessThan(64 * MIB);
      await untilNoStrays();
      expect(filesOnDisk()).toBe(before);
    }, 60_000);

    it('an upload that is cut off leaves nothing', async () => {
      const before = filesOnDisk();
      await sql.query(`DELETE FROM stray_files`);
      const socket = net.connect(app.port, '127.0.0.1');
      socket.write(head('chunked') + chunk(partHead('cut.bin')) + chunk('y'.repeat(100_000)));
      while (filesOnDisk() === before) await moment();
      expect(await strays()).toBe(1);
      socket.destroy();
      await untilNoStrays();
      expect(filesOnDisk()).toBe(before);
    });

    it('an upload whose account goes meanwhile leaves nothing, and says so', async () => {
      const leaver = await person(app.url, 'leaver');
      const [filesBefore, straysBefore] = [filesOnDisk(), await strays()];
      const socket = net.connect(app.port, '127.0.0.1');
      socket.write(head('chunked', leaver) + chunk(partHead('last.bin')) + chunk('y'.repeat(100_000)));
      while (filesOnDisk() === filesBefore) await moment();
      expect((await leaver.delete('/users/me')).status).toBe(204);
      socket.write(chunk('\r\n--b--\r\n') + '0\r\n\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      expect(answer.toString()).toMatch(/^HTTP\/1.1 401 /);
      while ((await strays()) > straysBefore) await moment();
      expect(filesOnDisk()).toBe(filesBefore);
    });

    it('what waits to be sent is bounded', async () => {
      const many = await person(app.url, 'many');
      for (let i = 0; i < 50; i += 1) expect((await upload(many, 'x')).status).toBe(201);
      expect(await upload(many, 'x')).toMatchObject({ status: 409, body: { code: 'too_many_files' } });
    }, 60_000);

    it('what waits to be sent is bounded also where it comes all at once', async () => {
      const many = await person(app.url, 'many');
      const answers = await Promise.all(Array.from({ length: 70 }, () => upload(many, 'x')));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(50);
      const { rows } = await sql.query(`SELECT 1 FROM attachments WHERE uploader_id = $1`, [many.id]);
      expect(rows).toHaveLength(50);
    }, 60_000);
  });

  it('go with the account that did not send them, and stay where they were said', async () => {
    const gone = await person(app.url, 'gone');
    await ada.post(`/servers/${server.id}/members`, { userId: gone.id });
    const [loose, said] = [(await upload(gone, 'loose')).body, (await upload(gone, 'said')).body];
    await send(gone, [said.id]);
    const exported = await gone.exported('attachment');
    expect(exported.map(({ id }) => id).sort()).toEqual([loose.id, said.id].sort());
    expect((await gone.delete('/users/me')).status).toBe(204);
    expect((await fetched(said.url, bob)).status).toBe(200);
    expect((await sql.query(`SELECT 1 FROM attachments WHERE id = $1`, [loose.id])).rows).toEqual([]);
  });

  const head = (length: number | 'chunked', who = ada) =>
    `POST /api/v1/attachments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${who.token}\r\n` +
    `Content-Type: multipart/form-data; boundary=b\r\n` +
    (length === 'chunked' ? 'Transfer-Encoding: chunked\r\n\r\n' : `Content-Length: ${length}\r\n\r\n`);
  const partHead = (name: string) =>
    `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: image/png\r\n\r\n`;
  const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

  /** Says `length` (or nothing, chunked) and sends for as long as anybody takes it. */
  /** What is said to the beginning of a request of which no more comes. */
  async function answerTo(beginning: string): Promise<string> {
    const socket = net.connect(app.port, '127.0.0.1');
    socket.write(beginning);
    const [data] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return data.toString();
  }

  async function flood(length: number | undefined): Promise<{ status: number; code: string; taken: number }> {
    const socket = net.connect(app.port, '127.0.0.1');
    socket.on('error', () => undefined);
    let answer = '';
    socket.on('data', (data: Buffer) => (answer += data.toString()));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(head(length ?? 'chunked'));
    const block = 'z'.repeat(MIB);
    const body = [partHead('flood.bin'), ...Array.from({ length: 200 }, () => block)];
    for (const piece of body) {
      if (socket.destroyed || answer !== '') break;
      const taken = socket.write(length === undefined ? chunk(piece) : piece);
      if (!taken) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
    }
    const taken = socket.bytesWritten;
    while (!/\r\n\r\n.*\}/s.test(answer) && !socket.destroyed)
      await Promise.race([new Promise((resolve) => socket.once('data', resolve)), closed]);
    socket.destroy();
    const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
    return { status: Number(status), code: /"code":"(\w+)"/.exec(answer)?.[1] ?? '', taken };
  }

  /** With any name: browsers would not send the most of these. */
  async function rawUpload(name: string, content: string): Promise<{ status: number; body: any }> {
    const disposition = `form-data; name="file"; filename*=UTF-8''${encodeURIComponent(name)}`;
    const text = `--b\r\nContent-Disposition: ${disposition}\r\n\r\n${content}\r\n--b--\r\n`;
    const request = http.request(`${app.url}/api/v1/attachments`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ada.token}`, 'content-type': 'multipart/form-data; boundary=b' },
    });
    request.end(text);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const piece of response) chunks.push(piece as Buffer);
    return { status: response.statusCode as number, body: JSON.parse(Buffer.concat(chunks).toString()) };
  }
});

/** A PNG of a few kilobytes that claims to have so many pixels. */
function bomb(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // One bit a pixel.
  header.set([1, 0, 0, 0, 0], 8);
  const pixels = Buffer.alloc(Math.min(height * (1 + Math.ceil(width / 8)), 20 * MIB));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(pixels)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([size, body, sum]);
}
