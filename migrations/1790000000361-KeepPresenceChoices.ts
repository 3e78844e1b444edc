import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeepPresenceChoices1790000000361 implements MigrationInterface {
  name = 'KeepPresenceChoices1790000000361';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE presence_choices (
        user_id uuid NOT NULL,
        choice text NOT NULL,
        chosen_at timestamptz(3) NOT NULL,
        CONSTRAINT presence_choices_pkey PRIMARY KEY (user_id),
        CONSTRAINT presence_choices_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT presence_choices_choice CHECK (choice IN ('online', 'away', 'dnd', 'invisible'))
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE presence_choices`);
  }
}
