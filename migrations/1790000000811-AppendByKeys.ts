import type { MigrationInterface, QueryRunner } from 'typeorm';

interface Passage {
  joined: string;
  keyed: string;
}

/** Where append_messages looks something up for its drafts. */
const PASSAGES: Passage[] = [
  {
    joined: `
      PERFORM 1 FROM conversations
        WHERE id IN (SELECT (draft ->> 'conversationId')::uuid FROM json_array_elements(drafts) AS draft)
        ORDER BY id FOR NO KEY UPDATE;
      PERFORM 1 FROM replies
        WHERE (session_id, id) IN (
          SELECT (draft ->> 'conversationId')::uuid, (draft ->> 'replyId')::uuid
          FROM json_array_elements(drafts) AS draft WHERE draft ->> 'attempt' IS NOT NULL)
        ORDER BY session_id, id FOR UPDATE;
`,
    keyed: `
      PERFORM 1 FROM conversations
        WHERE id = ANY(ARRAY(SELECT (draft ->> 'conversationId')::uuid FROM json_array_elements(drafts) AS draft))
        ORDER BY id FOR NO KEY UPDATE;
      PERFORM 1 FROM (
          SELECT (draft ->> 'conversationId')::uuid AS session_id, (draft ->> 'replyId')::uuid AS id
          FROM json_array_elements(drafts) AS draft WHERE draft ->> 'attempt' IS NOT NULL ORDER BY 1, 2
        ) ending
        CROSS JOIN LATERAL (
          SELECT FROM replies WHERE session_id = ending.session_id AND id = ending.id FOR UPDATE
        ) locked;
`,
  },
  {
    joined: `
        LEFT JOIN conversations room ON room.id = draft.conversation_id
        LEFT JOIN threads thread ON thread.id = draft.conversation_id AND room.kind = 'thread'
        LEFT JOIN sessions session ON session.id = coalesce(thread.parent_id, draft.conversation_id)
`,
    keyed: `
        LEFT JOIN LATERAL (
          SELECT id, kind, closed, last_seq, last_rev FROM conversations WHERE id = draft.conversation_id LIMIT 1
        ) room ON true
        LEFT JOIN LATERAL (
          SELECT parent_id FROM threads WHERE room.kind = 'thread' AND id = room.id LIMIT 1
        ) thread ON true
        LEFT JOIN LATERAL (
          SELECT id, type, owner_id, advocate_id, agent_id, title FROM sessions
          WHERE room.kind IN ('session', 'thread') AND id = coalesce(thread.parent_id, room.id) LIMIT 1
        ) session ON true
`,
  },
];

/**
 * What append_messages looks up it finds by key, draft by draft. Where it joined, the rooms, sessions and threads of a
 * database that had some hundred of them were read whole for each batch, with all their versions that vacuum had not
 * taken yet: PostgreSQL expects a hundred drafts in a batch, and mostly there are a few.
 */
export class AppendByKeys1790000000811 implements MigrationInterface {
  name = 'AppendByKeys1790000000811';

  async up(runner: QueryRunner): Promise<void> {
    await rewrite(runner, 'joined', 'keyed');
  }

  async down(runner: QueryRunner): Promise<void> {
    await rewrite(runner, 'keyed', 'joined');
  }
}

async function rewrite(runner: QueryRunner, from: keyof Passage, to: keyof Passage): Promise<void> {
  const [{ text }] = (await runner.query(
    `SELECT pg_get_functiondef('append_messages(json)'::regprocedure) AS text`,
  )) as [{ text: string }];
  await runner.query(PASSAGES.reduce((now, passage) => replaced(now, passage[from], passage[to]), text));
}

function replaced(text: string, passage: string, by: string): string {
  if (!text.includes(passage)) throw new Error(`append_messages does not read as it should: ${passage}`);
  return text.replace(passage, () => by);
}
