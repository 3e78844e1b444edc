import { Injectable, Logger } from '@nestjs/common';
import type { Request } from 'express';
import { Readable } from 'node:stream';
import { v7 as uuidv7 } from 'uuid';
import { AccessService } from '../../access/access.service.js';
import type { Actor } from '../../auth/actor.js';
import { Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { FileStore, thumbnailOf } from '../../platform/files/file-store.js';
import { Problem } from '../../platform/http/problem.js';
import { ATTACHMENT_COLUMNS, type AttachmentView, presentAttachment } from './attachment.presenter.js';
import type { AttachmentData } from '../message.entity.js';
import { isImage, typeOf } from './file-kind.js';
import { safeFileName } from './file-name.js';
import { Images } from './images.js';
import { receiveFile } from './upload-form.js';

/** What somebody may have uploaded and not sent. */
const MAX_LOOSE = 50;

type Row = AttachmentData & { uploaderId: string | null; conversationId: string | null };

/** Files on their way into messages, and the door to those that are there. */
@Injectable()
export class AttachmentsService {
  private readonly logger = new Logger(AttachmentsService.name);

  constructor(
    private readonly access: AccessService,
    private readonly config: Config,
    private readonly database: Database,
    private readonly work: UnitOfWork,
    private readonly files: FileStore,
    private readonly images: Images,
  ) {}

  /**
   * Stores the file of the request; it is on disk before it is said to be there, and nothing of it stays where this
   * throws. Throws 400, 408, 413 and 415 for the form, 409 `too_many_files`, 401 where the account is gone meanwhile, 507
   * where the disk is full.
   */
  async upload({ userId }: Actor, request: Request): Promise<AttachmentView> {
    await mustHavePlace(this.database, userId);
    const id = uuidv7();
    await this.database.query(`INSERT INTO stray_files (id, remove_after) VALUES ($1, now() + interval '1 day')`, [id]);
    try {
      const maxBytes = this.config.maxUploadBytes;
      const name = await receiveFile(request, maxBytes, (content) => this.files.write(id, content));
      const data = await this.look(id, safeFileName(name));
      await this.keep(userId, data);
      return presentAttachment(data);
    } catch (error) {
      await this.forget(id);
      throw error;
    }
  }

  /** A file of a message for whoever may read its conversation, a loose one for its uploader. Throws 404. */
  async enter(actor: Actor, id: string): Promise<AttachmentData> {
    const row = await this.database.one<Row>(
      `SELECT ${ATTACHMENT_COLUMNS}, uploader_id AS "uploaderId", conversation_id AS "conversationId"
       FROM attachments WHERE id = $1`,
      [id],
    );
    if (!row) throw notFound();
    const { uploaderId, conversationId, ...data } = row;
    if (conversationId === null && uploaderId !== actor.userId) throw notFound();
    if (conversationId !== null) {
      await this.access.enter(actor, conversationId, 'read').catch((error: unknown) => {
        throw error instanceof Problem && error.status === 404 ? notFound() : error;
      });
    }
    return data;
  }

  /** Takes back a file that was not sent. Throws 404. */
  async remove({ userId }: Actor, id: string): Promise<void> {
    const removed = await this.database.one(
      `DELETE FROM attachments WHERE id = $1 AND uploader_id = $2 AND message_id IS NULL RETURNING id`,
      [id, userId],
    );
    if (!removed) throw notFound();
  }

  private async look(id: string, name: string): Promise<AttachmentData> {
    const file = this.files.pathOf(id);
    const type = await typeOf(file);
    const seen = isImage(type) ? await this.images.look(file) : undefined;
    if (seen) await this.files.write(thumbnailOf(id), Readable.from([seen.thumbnail]));
    const size = await this.files.sizeOf(id);
    return { id, name, type, size, width: seen?.width ?? null, height: seen?.height ?? null, thumbnail: !!seen };
  }

  private async keep(
    userId: string,
    { id, name, type, size, width, height, thumbnail }: AttachmentData,
  ): Promise<void> {
    await this.work.run(async (tx) => {
      // Once more, one after the other: of many at once each had place when it began.
      const uploader = await tx.one(`SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE`, [userId]);
      if (!uploader) throw Problem.unauthorized('This account is gone.');
      await mustHavePlace(tx, userId);
      const waiting = await tx.one(`DELETE FROM stray_files WHERE id = $1 RETURNING id`, [id]);
      if (!waiting) throw Problem.unavailable('The upload took too long.');
      await tx.query(
        `INSERT INTO attachments (id, uploader_id, name, type, size, width, height, thumbnail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [id, userId, name, type, size, width, height, thumbnail],
      );
    });
  }

  /** What fails here is left to the sweep. */
  private async forget(id: string): Promise<void> {
    try {
      await this.files.remove(id);
      await this.database.query(`DELETE FROM stray_files WHERE id = $1`, [id]);
    } catch (error) {
      this.logger.warn({ err: error as Error, attachmentId: id }, 'a refused upload is left to the sweep');
    }
  }
}

function notFound(): Problem {
  return Problem.notFound('This file');
}

async function mustHavePlace(database: Database | Tx, userId: string): Promise<void> {
  const loose = await database.query(
    `SELECT 1 FROM attachments WHERE uploader_id = $1 AND message_id IS NULL LIMIT $2`,
    [userId, MAX_LOOSE],
  );
  if (loose.length === MAX_LOOSE) {
    throw Problem.conflict('too_many_files', `Send or remove some of your ${MAX_LOOSE} files that wait to be sent.`);
  }
}
