import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SetNotifications1790000000362 implements MigrationInterface {
  name = 'SetNotifications1790000000362';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE conversation_notifications (
        user_id uuid NOT NULL,
        conversation_id uuid NOT NULL,
        level text NOT NULL,
        muted_until timestamptz(3),
        CONSTRAINT conversation_notifications_pkey PRIMARY KEY (user_id, conversation_id),
        CONSTRAINT conversation_notifications_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT conversation_notifications_conversation_fk FOREIGN KEY (conversation_id)
          REFERENCES conversations (id) ON DELETE CASCADE,
        CONSTRAINT conversation_notifications_level CHECK (level IN ('all', 'mentions', 'none'))
      )`);
    // For deleting a conversation.
    await runner.query(
      `CREATE INDEX conversation_notifications_conversation ON conversation_notifications (conversation_id)`,
    );
    await runner.query(`
      CREATE TABLE server_notifications (
        server_id uuid NOT NULL,
        user_id uuid NOT NULL,
        level text NOT NULL,
        muted_until timestamptz(3),
        CONSTRAINT server_notifications_pkey PRIMARY KEY (server_id, user_id),
        CONSTRAINT server_notifications_membership_fk FOREIGN KEY (server_id, user_id)
          REFERENCES memberships (server_id, user_id) ON DELETE CASCADE,
        CONSTRAINT server_notifications_level CHECK (level IN ('all', 'mentions', 'none'))
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE server_notifications`);
    await runner.query(`DROP TABLE conversation_notifications`);
  }
}
