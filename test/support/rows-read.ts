import type { DataSource } from 'typeorm';

/** How many rows of a table PostgreSQL looks at to answer this. */
export async function rowsRead(db: DataSource, table: string, text: string, values: unknown[]): Promise<number> {
  const [{ 'QUERY PLAN': plans }] = await db.query(`EXPLAIN (ANALYZE, FORMAT JSON, VERBOSE) ${text}`, values);
  return rowsIn(plans[0].Plan, table);
}

function rowsIn(plan: any, table: string): number {
  const below = (plan.Plans ?? []).reduce((sum: number, child: any) => sum + rowsIn(child, table), 0);
  if (plan['Relation Name'] !== table) return below;
  return below + (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'];
}
