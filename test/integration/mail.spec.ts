import { once } from 'node:events';
import net from 'node:net';
import { Mailer } from '../../src/platform/mail/mailer.js';
import { loadConfig } from '../../src/platform/config/config.js';

/** A mail server of a few lines: it says yes to all and keeps what it was told. */
async function startMailServer(): Promise<{ url: string; heard: string[]; close(): void }> {
  const heard: string[] = [];
  const server = net.createServer((socket) => {
    let inData = false;
    socket.write('220 here\r\n');
    socket.on('data', (data: Buffer) => {
      for (const line of data.toString().split('\r\n').slice(0, -1)) {
        heard.push(line);
        if (inData && line !== '.') continue;
        inData = line === 'DATA';
        socket.write(inData ? '354 go on\r\n' : line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
      }
    });
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  return { url: `smtp://127.0.0.1:${port}`, heard, close: () => server.close() };
}

function mailerOf(SMTP_URL: string): Mailer {
  const secrets = { SECRET_KEY: 'x'.repeat(32), ENCRYPTION_KEY: 'y'.repeat(32) };
  return new Mailer(loadConfig({ ...secrets, SMTP_URL, MAIL_FROM: 'Parley <house@example.org>' }));
}

describe('Mail', () => {
  it('goes out over SMTP before the app ends', async () => {
    const server = await startMailServer();
    const mailer = mailerOf(server.url);
    mailer.post({ to: 'ada@example.org', subject: 'A new password', text: 'The token is abc.\n' });
    await mailer.onApplicationShutdown();
    server.close();
    expect(server.heard).toEqual(
      expect.arrayContaining([
        'MAIL FROM:<house@example.org>',
        'RCPT TO:<ada@example.org>',
        'Subject: A new password',
        'The token is abc.',
      ]),
    );
  });

  it('lets nobody write more headers or receivers than one', async () => {
    const server = await startMailServer();
    const mailer = mailerOf(server.url);
    mailer.post({ to: 'a@example.org, b@example.org', subject: 'x\r\nBcc: c@example.org', text: 'y' });
    await mailer.onApplicationShutdown();
    server.close();
    const receivers = server.heard.filter((line) => line.startsWith('RCPT'));
    expect(receivers.length).toBeLessThanOrEqual(1);
    expect(server.heard.some((line) => line.startsWith('Bcc'))).toBe(false);
  });

  it('throws at nobody when the server is away', async () => {
    const mailer = mailerOf('smtp://127.0.0.1:9');
    mailer.post({ to: 'ada@example.org', subject: 'x', text: 'y' });
    await expect(mailer.onApplicationShutdown()).resolves.toBeUndefined();
  });
});
