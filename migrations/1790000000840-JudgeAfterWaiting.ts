import type { MigrationInterface, QueryRunner } from 'typeorm';

interface Change {
  of: 'append_messages' | 'append_fully';
  before: string;
  after: string;
}

const CHANGES: Change[] = [
  {
    of: 'append_messages',
    before: `
        IF NOT plain THEN`,
    after: `
        IF clock_timestamp() - statement_timestamp() > interval '250 ms' THEN
          drafts := only_of_members(drafts);
        END IF;
        IF NOT plain THEN`,
  },
  {
    of: 'append_fully',
    before: `
            resolve_mentions(mention_names, mention_server_id, mention_user_ids) END AS mentions`,
    after: `
            resolve_mentions(mention_names, mention_server_id, CASE WHEN owner_id IS NULL THEN mention_user_ids
              ELSE array_remove(ARRAY[owner_id, advocate_id], NULL) END) END AS mentions`,
  },
  {
    of: 'append_fully',
    before: `
          SELECT DISTINCT ON (conversation_id) conversation_id, CASE WHEN role = 'user' THEN
            CASE WHEN length(plain) > 60 THEN left(plain, 59) || '…' ELSE plain END END AS title
          FROM numbered, LATERAL (SELECT btrim(regexp_replace(left(content, 200), '\\s+', ' ', 'g')) AS plain) line
          WHERE session_type IS NOT NULL`,
    after: `
          SELECT DISTINCT ON (conversation_id) conversation_id, CASE WHEN role = 'user' THEN title_of(content) END AS title
          FROM numbered
          WHERE session_type IS NOT NULL`,
  },
];

/**
 * Whoever sends is let in before the send waits: for its batch, and for a room that somebody has locked. After a quarter
 * of a second it is asked once more whether its author is still a member; where not, it has no room. And in a session
 * those can be mentioned who are in it now. How a message becomes the title of a session is said in one place.
 */
export class JudgeAfterWaiting1790000000840 implements MigrationInterface {
  name = 'JudgeAfterWaiting1790000000840';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION only_of_members(drafts json) RETURNS json LANGUAGE sql STABLE AS $$
        SELECT json_agg(CASE WHEN writes.here THEN draft ELSE (draft::jsonb - 'conversationId')::json END ORDER BY place)
        FROM json_array_elements(drafts) WITH ORDINALITY AS d (draft, place)
        CROSS JOIN LATERAL (
          SELECT (draft ->> 'conversationId')::uuid AS room_id, (draft ->> 'authorId')::uuid AS author_id
        ) sent
        LEFT JOIN LATERAL (SELECT parent_id FROM threads WHERE id = sent.room_id LIMIT 1) thread ON true
        LEFT JOIN LATERAL (
          SELECT server_id FROM channels WHERE id = coalesce(thread.parent_id, sent.room_id) LIMIT 1
        ) channel ON true
        CROSS JOIN LATERAL (
          SELECT channel.server_id IS NULL OR sent.author_id IS NULL OR EXISTS (
            SELECT FROM memberships m WHERE m.server_id = channel.server_id AND m.user_id = sent.author_id
          ) AS here
        ) writes
      $$`);
    // The first words, up to 60 characters. One expression, so that PostgreSQL puts it where it is asked for.
    await runner.query(`
      CREATE FUNCTION title_of(content text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT regexp_replace(
          btrim(regexp_replace(left(content, 200), '\\s+', ' ', 'g')), '^(.{59}).{2,}$', '\\1…')
      $$`);
    for (const { of, before, after } of CHANGES) await rewrite(runner, of, before, after);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { of, before, after } of CHANGES) await rewrite(runner, of, after, before);
    await runner.query(`DROP FUNCTION title_of(text)`);
    await runner.query(`DROP FUNCTION only_of_members(json)`);
  }
}

async function rewrite(runner: QueryRunner, name: string, passage: string, by: string): Promise<void> {
  const [{ text }] = (await runner.query(`SELECT pg_get_functiondef($1::regprocedure) AS text`, [`${name}(json)`])) as [
    { text: string },
  ];
  if (!text.includes(passage)) throw new Error(`${name} does not read as it should: ${passage}`);
  await runner.query(text.replace(passage, () => by));
}
