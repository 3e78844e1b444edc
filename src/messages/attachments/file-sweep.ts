import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { FileStore } from '../../platform/files/file-store.js';

const EVERY_MS = 60_000;
const AT_ONCE = 100;
/** When one that could not be removed is tried again. */
const LATER = `interval '1 hour'`;

/** Takes away what was uploaded and not sent within a day, and every file whose attachment is gone. */
@Injectable()
export class FileSweep implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(FileSweep.name);
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly files: FileStore,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweepQuietly(), EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.sweeping;
  }

  /** What is being sent at that moment waits for nobody: it is sent, or goes with the next sweep. */
  async sweep(): Promise<void> {
    await this.database.query(
      `DELETE FROM attachments WHERE id IN (
         SELECT id FROM attachments WHERE message_id IS NULL AND created_at < now() - interval '1 day'
         FOR UPDATE SKIP LOCKED
       )`,
    );
    while ((await this.removeSome()) === AT_ONCE);
  }

  /** The row goes after its file: what is interrupted is done again. A file that cannot go keeps no other on the disk. */
  private removeSome(): Promise<number> {
    return this.work.run(async (tx) => {
      const rows = await tx.query<{ id: string }>(
        `SELECT id FROM stray_files WHERE remove_after <= now() ORDER BY remove_after LIMIT $1 FOR UPDATE SKIP LOCKED`,
        [AT_ONCE],
      );
      const removed = [];
      for (const { id } of rows) if (await this.isRemoved(id)) removed.push(id);
      const ids = rows.map(({ id }) => id);
      await tx.query(`DELETE FROM stray_files WHERE id = ANY($1)`, [removed]);
      await tx.query(`UPDATE stray_files SET remove_after = now() + ${LATER} WHERE id = ANY($1)`, [ids]);
      return rows.length;
    });
  }

  private async isRemoved(id: string): Promise<boolean> {
    try {
      await this.files.remove(id);
      return true;
    } catch (error) {
      this.logger.error({ err: error as Error, attachmentId: id }, 'a file could not be removed');
      return false;
    }
  }

  private async sweepQuietly(): Promise<void> {
    if (this.sweeping) return;
    this.sweeping = this.sweep().catch((error: unknown) => {
      this.logger.warn({ err: error as Error }, 'files that nobody has any more could not be removed');
    });
    await this.sweeping;
    this.sweeping = undefined;
  }
}
