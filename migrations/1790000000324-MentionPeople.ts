import type { MigrationInterface, QueryRunner } from 'typeorm';

export class MentionPeople1790000000324 implements MigrationInterface {
  name = 'MentionPeople1790000000324';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE messages ADD COLUMN mentions uuid[], ADD COLUMN mentions_everyone boolean NOT NULL DEFAULT false`);
    // Everybody is one mark on the message, and no row for each member.
    await runner.query(`CREATE INDEX messages_everyone ON messages (conversation_id, seq) WHERE mentions_everyone`);
    await runner.query(`
      CREATE TABLE mentions (
        conversation_id uuid NOT NULL,
        seq bigint NOT NULL,
        user_id uuid NOT NULL,
        PRIMARY KEY (conversation_id, seq, user_id),
        CONSTRAINT mentions_message_fk
          FOREIGN KEY (conversation_id, seq) REFERENCES messages (conversation_id, seq) ON DELETE CASCADE,
        CONSTRAINT mentions_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX mentions_user ON mentions (user_id, conversation_id, seq)`);
    await createResolve(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION resolve_mentions`);
    await runner.query(`DROP TABLE mentions`);
    await runner.query(`ALTER TABLE messages DROP COLUMN mentions, DROP COLUMN mentions_everyone`);
  }
}

/**
 * resolve_mentions(names, server, people) gives the ids of those who are named, in the order in which they are, or
 * NULL for nobody. Each name comes as a list of the forms it may have, the likeliest first ("ada." may end a sentence).
 * Only members of the server and the people given are found: nobody is mentioned who cannot see the conversation.
 */
async function createResolve(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE FUNCTION resolve_mentions(names jsonb, server uuid, people uuid[]) RETURNS uuid[] LANGUAGE sql STABLE AS $$
      SELECT array_agg(id ORDER BY place) FROM (
        SELECT id, min(place) AS place FROM (
          SELECT DISTINCT ON (name.place) name.place, person.id
          FROM jsonb_array_elements(names) WITH ORDINALITY AS name (forms, place)
          CROSS JOIN LATERAL jsonb_array_elements_text(name.forms) WITH ORDINALITY AS form (key, likeliness)
          JOIN users person ON person.username_key = form.key
          WHERE person.id = ANY(people) OR EXISTS (
            SELECT 1 FROM memberships m WHERE m.server_id = server AND m.user_id = person.id
          )
          ORDER BY name.place, form.likeliness
        ) AS named GROUP BY id
      ) AS each_once
    $$`);
}
