import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateDirects1790000000302 implements MigrationInterface {
  name = 'CreateDirects1790000000302';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE directs (
        id uuid PRIMARY KEY,
        people_key bytea NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT directs_conversation_fk FOREIGN KEY (id) REFERENCES conversations (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE UNIQUE INDEX directs_people_key ON directs (people_key)`);
    await runner.query(`
      CREATE TABLE direct_participants (
        direct_id uuid NOT NULL,
        user_id uuid NOT NULL,
        PRIMARY KEY (direct_id, user_id),
        CONSTRAINT direct_participants_direct_fk FOREIGN KEY (direct_id) REFERENCES directs (id) ON DELETE CASCADE,
        CONSTRAINT direct_participants_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX direct_participants_user ON direct_participants (user_id, direct_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM conversations WHERE kind = 'direct'`);
    await runner.query(`DROP TABLE direct_participants`);
    await runner.query(`DROP TABLE directs`);
  }
}
