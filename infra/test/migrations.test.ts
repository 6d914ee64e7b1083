import { expect, test } from '@jest/globals';
import { checkMigrationHashes, findContractions } from '../../scripts/check-migrations.ts';

const migration = (up: string) => `-- Up Migration\n\n${up}\n\n-- Down Migration\n\nDROP TABLE anything;\n`;

test.each([
  'DROP TABLE channels;',
  'ALTER TABLE channels DROP COLUMN state;',
  'ALTER TABLE channels RENAME COLUMN state TO condition;',
  'ALTER TABLE channels ALTER COLUMN state SET NOT NULL;',
  'ALTER TABLE channels ALTER COLUMN state TYPE integer;',
  'ALTER TABLE channels ADD COLUMN region text NOT NULL;',
  'DROP FUNCTION record_deliveries;',
])('[M-1] `%s` needs a reason, since the version before may still run', (statement) => {
  expect(findContractions(migration(statement))).toEqual([statement]);
  expect(findContractions(migration(`-- contract: unused since 0017\n${statement}`))).toEqual([]);
});

test.each([
  'CREATE TABLE regions (id uuid PRIMARY KEY, name text NOT NULL);',
  'ALTER TABLE channels ADD COLUMN region text;',
  "ALTER TABLE channels ADD COLUMN region text NOT NULL DEFAULT 'ca';",
  'DROP INDEX deliveries_received_at;',
  '-- The rows go with DROP TABLE.',
])('[M-1] `%s` needs none', (statement) => {
  expect(findContractions(migration(statement))).toEqual([]);
});

test('[M-1] the migrations that are there keep to it', () => {
  expect(checkMigrationHashes()).toBe(0);
});
