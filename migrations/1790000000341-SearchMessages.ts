import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Scripts written without spaces, and what is no part of a word. By code points and not by character classes: those
 * depend on the locale of the database, and what is indexed may not.
 */
const NO_WORDS =
  '[\\u00A0-\\u00BF\\u00D7\\u00F7\\u0E00-\\u0EFF\\u1000-\\u109F\\u1780-\\u17FF\\u2000-\\u2BFF\\u2E80-\\uA4CF' +
  '\\uF900-\\uFAFF\\uFE30-\\uFE4F\\uFF00-\\uFFEF\\U0001F000-\\U0003FFFF]+';

export class SearchMessages1790000000341 implements MigrationInterface {
  name = 'SearchMessages1790000000341';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE EXTENSION IF NOT EXISTS pg_trgm`);
    // Each character beyond ASCII together with the next one, behind '=', which no word begins with.
    await runner.query(`
      CREATE FUNCTION message_pairs(content text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (
        SELECT coalesce(array_agg(DISTINCT '=' || this || CASE WHEN next > E'\\x7F' THEN next ELSE '' END), '{}')
        FROM (
          SELECT letter COLLATE "C" AS this, lead(letter) OVER (ORDER BY place) COLLATE "C" AS next
          FROM string_to_table(content, NULL) WITH ORDINALITY AS letters (letter, place)
        ) AS pairs
        WHERE this > E'\\x7F'
      )`);
    await runner.query(`
      CREATE FUNCTION message_words(content text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
        CASE WHEN octet_length(content) = char_length(content) THEN to_tsvector('simple', content)
        ELSE to_tsvector('simple', lower(regexp_replace(content, '${NO_WORDS}', ' ', 'g')))
          || array_to_tsvector(message_pairs(lower(content))) END`);
    // A short pending list: each search reads all of it.
    await runner.query(`
      CREATE INDEX messages_words ON messages USING gin (message_words(content))
        WITH (gin_pending_list_limit = 1024) WHERE content IS NOT NULL`);
    await runner.query(`
      CREATE INDEX messages_parts ON messages USING gin (lower(content) gin_trgm_ops)
        WITH (gin_pending_list_limit = 1024) WHERE content IS NOT NULL`);
    await runner.query(`CREATE INDEX messages_time ON messages (conversation_id, created_at, id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX messages_time`);
    await runner.query(`DROP INDEX messages_parts`);
    await runner.query(`DROP INDEX messages_words`);
    await runner.query(`DROP FUNCTION message_words`);
    await runner.query(`DROP FUNCTION message_pairs`);
    // It stays where somebody else made it, or needs it.
    await runner.query(`
      DO $$ BEGIN DROP EXTENSION pg_trgm;
      EXCEPTION WHEN insufficient_privilege OR dependent_objects_still_exist THEN NULL; END $$`);
  }
}
