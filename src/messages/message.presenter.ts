import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import type { Author } from '../access/pass.js';
import { DELETED_USER, presentProfile, Profile } from '../users/profile.presenter.js';
import type { UserKind } from '../users/user.entity.js';
import { AttachmentView, presentAttachment } from './attachments/attachment.presenter.js';
import type { AttachmentData, MessageRole, ReactionCount } from './message.entity.js';

const AGENT_AS_AUTHOR = {
  type: 'object',
  required: ['id', 'name', 'avatarUrl', 'kind'],
  properties: {
    id: { type: 'string', format: 'uuid' },
    name: { type: 'string', example: 'Echo' },
    avatarUrl: { type: 'string', nullable: true },
    kind: { type: 'string', enum: ['agent'] },
  },
};

export class ReactionView {
  @ApiProperty({ example: '👍' }) emoji: string;
  @ApiProperty({ description: 'How many people chose it.', example: 3 }) count: number;
  @ApiProperty({ description: 'Whether the receiver is one of them.', example: false }) me: boolean;
}

/** A message as REST answers and events carry it: one form for all who may see it, save whose reactions are `me`. */
@ApiExtraModels(Profile)
export class MessageView {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ format: 'uuid' }) conversationId: string;
  @ApiProperty({ description: 'Its place in the conversation: 1, 2, 3, ...', example: 41 }) seq: number;
  @ApiProperty({ description: 'The newest change to it, counted by conversation.', example: 57 }) rev: number;
  @ApiProperty({
    description: 'A public profile, or an agent; null for the house itself.',
    nullable: true,
    oneOf: [{ $ref: getSchemaPath(Profile) }, AGENT_AS_AUTHOR],
  })
  author: Author | null;
  @ApiProperty({ enum: ['user', 'agent', 'peer', 'system'] }) role: MessageRole;
  @ApiProperty({ type: String, nullable: true, description: 'Null once deleted.' }) content: string | null;
  @ApiProperty({ type: Object }) metadata: Record<string, unknown>;
  @ApiProperty({ type: Number, nullable: true }) tokensUsed: number | null;
  @ApiProperty({ type: String, nullable: true }) nonce: string | null;
  @ApiProperty({ type: String, nullable: true, format: 'uuid' }) replyToId: string | null;
  @ApiProperty({ type: String, nullable: true, format: 'uuid' }) threadId: string | null;
  @ApiProperty({ type: [AttachmentView] }) attachments: AttachmentView[];
  @ApiProperty({ type: [ReactionView] }) reactions: ReactionView[];
  @ApiProperty({ type: [String], format: 'uuid', description: 'The ids of the people it names.' }) mentions: string[];
  @ApiProperty({ description: 'It names everybody who can see it.', example: false }) mentionsEveryone: boolean;
  @ApiProperty({ type: String, nullable: true, format: 'date-time', description: 'Since when it is pinned.' })
  pinnedAt: string | null;
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) readAt: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) editedAt: string | null;
  @ApiProperty({ type: String, nullable: true, format: 'date-time' }) deletedAt: string | null;
}

/** A row of messageColumns. */
export interface MessageRow {
  id: string;
  conversationId: string;
  seq: number;
  rev: number;
  role: MessageRole;
  content: string | null;
  metadata: Record<string, unknown> | null;
  tokensUsed: number | null;
  nonce: string | null;
  replyToId: string | null;
  threadId: string | null;
  mentions: string[] | null;
  mentionsEveryone: boolean;
  attachments: AttachmentData[] | null;
  reactions: ReactionCount[] | null;
  /** Which of them the viewer chose. */
  reacted: string[] | null;
  pinnedAt: Date | null;
  /** Of a peer session, where it was looked up. */
  readAt?: Date | null;
  createdAt: Date;
  editedAt: Date | null;
  deletedAt: Date | null;
  authorId: string | null;
  username: string | null;
  displayName: string | null;
  userAvatarUrl: string | null;
  userKind: UserKind | null;
  agentId: string | null;
  agentName: string | null;
  agentAvatarUrl: string | null;
}

/** What a message has not when it is new. */
export const NEW_MESSAGE = {
  threadId: null,
  mentions: null,
  mentionsEveryone: false,
  attachments: null,
  reactions: null,
  reacted: null,
  pinnedAt: null,
  editedAt: null,
  deletedAt: null,
} as const;

const MESSAGE_COLUMNS = `
  m.id, m.conversation_id AS "conversationId", m.seq, m.rev, m.role, m.content, m.metadata,
  m.tokens_used AS "tokensUsed", m.nonce, m.reply_to_id AS "replyToId", thread.id AS "threadId",
  m.mentions, m.mentions_everyone AS "mentionsEveryone",
  m.attachments, m.reactions,
  m.pinned_at AS "pinnedAt", m.created_at AS "createdAt", m.edited_at AS "editedAt", m.deleted_at AS "deletedAt", m.author_id AS "authorId",
  author.username, author.display_name AS "displayName", author.avatar_url AS "userAvatarUrl",
  author.kind AS "userKind", m.agent_id AS "agentId", agent.name AS "agentName", agent.avatar_url AS "agentAvatarUrl"`;

/**
 * What a query on `messages m` selects, beside joining MESSAGE_JOINS, so that presentMessage can show each row to
 * `viewer`: an SQL expression for the id of a person, or NULL for nobody in particular.
 */
export const messageColumns = (viewer: string) => `
  ${MESSAGE_COLUMNS},
  CASE WHEN m.reactions IS NOT NULL THEN ARRAY(
    SELECT mine.emoji FROM reactions mine
    WHERE mine.conversation_id = m.conversation_id AND mine.message_id = m.id AND mine.user_id = ${viewer}
  ) END AS reacted`;

/** The same for several viewers, an array of ids: what each of them chose is in `reactedBy`, by their id. */
export const messageColumnsForMany = (viewers: string) => `
  ${MESSAGE_COLUMNS},
  CASE WHEN m.reactions IS NOT NULL THEN (
    SELECT json_object_agg(theirs.user_id, theirs.emojis) FROM (
      SELECT mine.user_id, array_agg(mine.emoji) AS emojis FROM reactions mine
      WHERE mine.conversation_id = m.conversation_id AND mine.message_id = m.id AND mine.user_id = ANY(${viewers})
      GROUP BY mine.user_id
    ) AS theirs
  ) END AS "reactedBy"`;

// By its key: the planner, which takes rooms to have few threads, would else compare each message with all of them.
export const MESSAGE_JOINS = `
  LEFT JOIN users author ON author.id = m.author_id
  LEFT JOIN agents agent ON agent.id = m.agent_id
  LEFT JOIN LATERAL (
    SELECT t.id FROM threads t WHERE t.parent_id = m.conversation_id AND t.message_id = m.id LIMIT 1
  ) AS thread ON true`;

export function presentMessage(row: MessageRow): MessageView {
  return messageView(row, authorOf(row) ?? (isPersons(row) ? DELETED_USER : null));
}

/** The one place that says what a message looks like. */
export function messageView(row: Omit<MessageRow, keyof AuthorColumns>, author: Author | null): MessageView {
  return {
    id: row.id,
    conversationId: row.conversationId,
    seq: row.seq,
    rev: row.rev,
    author,
    role: row.role,
    content: row.content,
    metadata: row.metadata ?? {},
    tokensUsed: row.tokensUsed,
    nonce: row.nonce,
    replyToId: row.replyToId,
    threadId: row.threadId,
    attachments: (row.attachments ?? []).map(presentAttachment),
    reactions: (row.reactions ?? []).map(({ emoji, count }) => ({
      emoji,
      count,
      me: row.reacted?.includes(emoji) ?? false,
    })),
    mentions: row.mentions ?? [],
    mentionsEveryone: row.mentionsEveryone,
    pinnedAt: row.pinnedAt?.toISOString() ?? null,
    readAt: row.readAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    editedAt: row.editedAt?.toISOString() ?? null,
    deletedAt: row.deletedAt?.toISOString() ?? null,
  };
}

/** What a person said stays when their account goes, and loses only its author. */
function isPersons({ role }: MessageRow): boolean {
  return role === 'user' || role === 'peer';
}

type AuthorColumns = Pick<
  MessageRow,
  'authorId' | 'username' | 'displayName' | 'userAvatarUrl' | 'userKind' | 'agentId' | 'agentName' | 'agentAvatarUrl'
>;

function authorOf(row: AuthorColumns): Author | null {
  if (row.agentId && row.agentName) {
    return { id: row.agentId, name: row.agentName, avatarUrl: row.agentAvatarUrl, kind: 'agent' };
  }
  if (!row.authorId || !row.username || !row.displayName || !row.userKind) return null;
  return presentProfile({
    id: row.authorId,
    username: row.username,
    displayName: row.displayName,
    avatarUrl: row.userAvatarUrl,
    kind: row.userKind,
  });
}
