import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateImports1790000000401 implements MigrationInterface {
  name = 'CreateImports1790000000401';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE imports (
        id uuid PRIMARY KEY,
        source text NOT NULL,
        label text NOT NULL,
        location text NOT NULL,
        migration text,
        report jsonb NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now()
      )`);
    await runner.query(`CREATE UNIQUE INDEX imports_migration_key ON imports (migration) WHERE migration IS NOT NULL`);
    // A target may be of any of six tables, and may be deleted by people later: no foreign key can say that.
    await runner.query(`
      CREATE TABLE imported_ids (
        kind text NOT NULL,
        external_id text COLLATE "C" NOT NULL,
        scope uuid NOT NULL,
        import_id uuid NOT NULL,
        target_id uuid NOT NULL,
        conversation_id uuid,
        fingerprint bigint,
        rev bigint,
        made boolean NOT NULL DEFAULT true,
        PRIMARY KEY (kind, external_id, scope),
        CONSTRAINT imported_ids_kind
          CHECK (kind IN ('user', 'agent', 'server', 'membership', 'conversation', 'message')),
        CONSTRAINT imported_ids_import_fk FOREIGN KEY (import_id) REFERENCES imports (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX imported_ids_import ON imported_ids (import_id, kind)`);
    await runner.query(`CREATE INDEX imported_ids_target ON imported_ids (target_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE imported_ids`);
    await runner.query(`DROP TABLE imports`);
  }
}
