import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config.js';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { Problem } from '../../platform/http/problem.js';
import { AppendStore, type DraftRow, type Judged } from '../append-store.js';
import type { AttachmentData } from '../message.entity.js';
import { ATTACHMENT_COLUMNS } from './attachment.presenter.js';

/** Stores messages that come with files: by themselves and not in a batch, so that files and message are one commit. */
@Injectable()
export class AttachingStore {
  constructor(
    private readonly store: AppendStore,
    private readonly work: UnitOfWork,
    private readonly config: Config,
  ) {}

  /** Throws 400 for files that the author may not send, or too many; then nothing is stored. */
  async append(
    draft: DraftRow,
    attachmentIds: string[],
  ): Promise<{ judged: Judged; attachments: AttachmentData[] | null }> {
    const most = this.config.maxAttachments;
    if (attachmentIds.length > most) throw Problem.invalid('attachmentIds', `must name at most ${most} files`);
    return this.work.run(async (tx) => {
      const judged = await this.store.appendInside(tx, draft);
      return { judged, attachments: judged.outcome === 'stored' ? await attach(tx, draft, attachmentIds) : null };
    });
  }
}

/** Of two messages that want the same file at once one gets it. */
async function attach(tx: Tx, message: DraftRow, attachmentIds: string[]): Promise<AttachmentData[]> {
  // In one order, so that two who want the same files wait for each other and never both.
  const files = await tx.query<AttachmentData>(
    `SELECT ${ATTACHMENT_COLUMNS} FROM attachments
     WHERE id = ANY($1) AND uploader_id = $2 AND message_id IS NULL ORDER BY id FOR UPDATE`,
    [attachmentIds, message.authorId],
  );
  const ordered = attachmentIds.map((id) => files.find((file) => file.id === id));
  if (ordered.some((file) => file === undefined)) {
    throw Problem.invalid('attachmentIds', 'names a file that is not yours, is gone, or was sent already');
  }
  await tx.query(`UPDATE attachments SET conversation_id = $2, message_id = $3 WHERE id = ANY($1)`, [
    attachmentIds,
    message.conversationId,
    message.id,
  ]);
  await tx.query(`UPDATE messages SET attachments = $3 WHERE conversation_id = $1 AND id = $2`, [
    message.conversationId,
    message.id,
    JSON.stringify(ordered),
  ]);
  return ordered as AttachmentData[];
}
