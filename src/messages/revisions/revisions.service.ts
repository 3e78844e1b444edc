import { Injectable } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Moderator, type Writer } from '../../access/pass.js';
import { Database } from '../../platform/database/database.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';

/** What a message said before an edit. */
export class RevisionView {
  @ApiProperty({ description: 'The rev that the message had when it was edited away.', example: 57 }) rev: number;
  @ApiProperty({ example: 'Hello, everyone' }) content: string;
  @ApiProperty({ format: 'date-time', description: 'Since when it said this.' }) createdAt: string;
}

@Injectable()
export class RevisionsService {
  constructor(private readonly database: Database) {}

  /** For its author and with a moderator's pass, oldest first; none of a deleted message. Throws 404 and 403. */
  async list(pass: Writer | Moderator, messageId: string, page: PageQuery): Promise<Page<RevisionView>> {
    const [after] = readCursor(page.cursor, ['number']) ?? [0];
    const message = await this.database.one<{ authorId: string | null }>(
      `SELECT author_id AS "authorId" FROM messages WHERE conversation_id = $1 AND id = $2`,
      [pass.room.id, messageId],
    );
    if (!message) throw Problem.notFound('This message');
    if (message.authorId !== pass.actor.userId && !(pass instanceof Moderator))
      throw Problem.forbidden('Only its author or a moderator may see what a message said before.');
    const rows = await this.database.query<{ rev: number; content: string; createdAt: Date }>(
      `SELECT rev, content, created_at AS "createdAt" FROM message_revisions
       WHERE conversation_id = $1 AND message_id = $2 AND rev > $3 ORDER BY rev LIMIT $4`,
      [pass.room.id, messageId, after, page.limit + 1],
    );
    return pageOf(
      rows,
      page.limit,
      ({ rev }) => [rev],
      ({ createdAt, ...revision }) => ({ ...revision, createdAt: createdAt.toISOString() }),
    );
  }
}
