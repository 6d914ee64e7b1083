import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import * as schema from './index.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const tables = Object.values<unknown>(schema).filter((value) => is(value, PgTable));

interface Column {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
}

async function columnsInDatabase(table: string): Promise<Column[]> {
  const rows = await database.sql`
    SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required
      FROM pg_attribute WHERE attrelid = ${table}::regclass AND attnum > 0 AND NOT attisdropped`;
  return rows.map((row) => ({ name: row.name, type: row.type, isRequired: row.required }));
}

/** As drizzle would name a column without a name of its own. */
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const byName = (a: Column, b: Column) => a.name.localeCompare(b.name);

describe('[M-1] the typed schema and the migrated database', () => {
  test('there are tables to compare', () => {
    expect(tables.length).toBeGreaterThan(10);
  });

  test.each(tables.map((table) => [getTableConfig(table).name, table] as const))(
    'agree on every column of %s',
    async (name, table) => {
      const declared = getTableConfig(table).columns.map((column) => ({
        name: snake(column.name),
        type: column.getSQLType(),
        // A generated column is never null although nobody says so.
        isRequired: column.notNull,
      }));
      const found = await columnsInDatabase(name);
      expect(declared.map((c) => ({ ...c, type: c.type })).sort(byName)).toEqual(found.sort(byName));
    },
  );
});
