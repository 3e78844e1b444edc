import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeepReadTimes1790000000214 implements MigrationInterface {
  name = 'KeepReadTimes1790000000214';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE read_times (
        conversation_id uuid NOT NULL,
        by_owner boolean NOT NULL,
        seq bigint NOT NULL,
        read_at timestamptz(3) NOT NULL DEFAULT now(),
        PRIMARY KEY (conversation_id, by_owner, seq),
        CONSTRAINT read_times_conversation_fk
          FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE read_times`);
  }
}
