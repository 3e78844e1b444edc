/** Every column, index, constraint, trigger, function and table, in PostgreSQL's words. */
export async function schemaOf(query: (sql: string) => Promise<{ text: string }[]>): Promise<string[]> {
  const rows = await query(
    `SELECT format('%s.%s %s %s %s', table_name, column_name, udt_name, column_default, is_nullable) AS text
     FROM information_schema.columns WHERE table_schema = 'public'
     UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
     UNION ALL SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
       WHERE connamespace = 'public'::regnamespace
     UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
     UNION ALL SELECT format('%s %s %s', oid::regprocedure, md5(prosrc), proconfig) FROM pg_proc p
       WHERE pronamespace = 'public'::regnamespace
         AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
     UNION ALL SELECT format('%s %s %s', relname, relkind, relpersistence) FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
     ORDER BY 1`,
  );
  return rows.map(({ text }) => text);
}
