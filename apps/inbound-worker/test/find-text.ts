import type { TestDatabase } from '@bookiji/testing';

/**
 * Every column of every table, the queues' too, in which a row holds one of these texts, as text or as its bytes:
 * `table.column`, in order. Each table is read once.
 */
export async function findText({ sql }: TestDatabase, texts: readonly string[]): Promise<string[]> {
  const patterns = texts.flatMap((text) => [text, Buffer.from(text).toString('hex')]).map(toPattern);
  const tables = await sql<{ schemaname: string; tablename: string }[]>`
    SELECT schemaname, tablename FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY tablename`;
  const found: string[] = [];
  for (const { schemaname, tablename } of tables) {
    const rows = await sql<{ column: string }[]>`
      SELECT DISTINCT cell.key AS column
        FROM ${sql(schemaname)}.${sql(tablename)} AS t, LATERAL json_each_text(row_to_json(t)) AS cell
       WHERE t::text LIKE ANY (${patterns}) AND cell.value LIKE ANY (${patterns}) ORDER BY 1`;
    found.push(...rows.map(({ column }) => `${tablename}.${column}`));
  }
  return found;
}

function toPattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}
