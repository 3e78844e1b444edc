import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { createTransport, type Transporter } from 'nodemailer';
import { Config } from '../config/config.js';

export interface Mail {
  to: string;
  subject: string;
  text: string;
}

/** Mails that may wait to be sent; what comes beyond is dropped, and said to be. */
const MAX_WAITING = 1_000;

/** Sends mail without keeping the caller waiting. Without SMTP_URL, which production demands, mail goes to the log. */
@Injectable()
export class Mailer implements OnApplicationShutdown {
  private readonly logger = new Logger(Mailer.name);
  private readonly transport: Transporter | undefined;
  private readonly from: string;
  private readonly underWay = new Set<Promise<void>>();

  constructor({ smtpUrl, mailFrom }: Config) {
    this.transport = smtpUrl
      ? createTransport(smtpUrl, { disableFileAccess: true, disableUrlAccess: true })
      : undefined;
    this.from = mailFrom;
  }

  /** A failure is logged, since the answer to a caller must not tell whether a mail was sent. */
  post(mail: Mail): void {
    if (this.underWay.size >= MAX_WAITING) {
      this.logger.error('a mail was dropped: too many wait to be sent');
      return;
    }
    const sending = this.send(mail).finally(() => this.underWay.delete(sending));
    this.underWay.add(sending);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.underWay);
    this.transport?.close();
  }

  private async send({ to, subject, text }: Mail): Promise<void> {
    if (!this.transport) {
      this.logger.warn({ to, subject, text }, 'a mail, to be read here since SMTP_URL is not set');
      return;
    }
    try {
      await this.transport.sendMail({ from: this.from, to: { name: '', address: to }, subject, text });
    } catch (error) {
      this.logger.error({ err: error as Error, subject }, 'a mail could not be sent');
    }
  }
}
