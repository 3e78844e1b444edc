import type { MigrationInterface, QueryRunner } from 'typeorm';

/** As in SearchMessages: scripts written without spaces, and what is no part of a word. */
const NO_WORDS =
  '[\\u00A0-\\u00BF\\u00D7\\u00F7\\u0E00-\\u0EFF\\u1000-\\u109F\\u1780-\\u17FF\\u2000-\\u2BFF\\u2E80-\\uA4CF' +
  '\\uF900-\\uFAFF\\uFE30-\\uFE4F\\uFF00-\\uFFEF\\U0001F000-\\U0003FFFF]+';
const WIDE_WORDS = `to_tsvector('simple', lower(regexp_replace(content, '${NO_WORDS}', ' ', 'g')))
          || array_to_tsvector(message_pairs(lower(content)))`;

/**
 * PostgreSQL puts the body of message_words in the place of its call, anew for each statement that writes messages: for
 * a send that comes alone that was a tenth of its work. The longer half is a function of its own now, which a setting,
 * any setting, keeps from being put in.
 */
export class SplitMessageWords1790000000821 implements MigrationInterface {
  name = 'SplitMessageWords1790000000821';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION message_wide_words(content text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
        SET search_path = pg_catalog RETURN ${WIDE_WORDS}`);
    await setWords(runner, 'message_wide_words(content)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await setWords(runner, WIDE_WORDS);
    await runner.query(`DROP FUNCTION message_wide_words`);
  }
}

async function setWords(runner: QueryRunner, wide: string): Promise<void> {
  await runner.query(`
      CREATE OR REPLACE FUNCTION message_words(content text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
        CASE WHEN octet_length(content) = char_length(content) THEN to_tsvector('simple', content)
        ELSE ${wide} END`);
}
