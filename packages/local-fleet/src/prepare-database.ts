import { migrateUp, migrationStatus } from '@bookiji/db/migrate';
import { prepareQueueSchema } from '@bookiji/queues';
import type { EmbeddedPostgres, Environment } from '@bookiji/runtime';
import { localDoors, openLocalDoors } from './database-roles.ts';
import { startDatabase } from './start-database.ts';

export interface PreparedDatabase {
  readonly url: string;
  /** Null when the database is somebody else's. */
  readonly embedded: EmbeddedPostgres | null;
  /** Each process's own way in, where this machine's server gives one; for its environment. */
  readonly doors: Readonly<Record<string, string>>;
}

/**
 * The database to use. The embedded one is started (or adopted) and migrated; one that was named is only looked at, for
 * changing a production schema is the operator's own step.
 *
 * @param early the embedded server, where it was started before.
 * @throws Error whose message is one line for the operator.
 */
export async function prepareDatabase(
  environment: Environment,
  early: Promise<EmbeddedPostgres | null> = startDatabase(environment),
): Promise<PreparedDatabase> {
  const embedded = await early;
  if (embedded === null) {
    const url = environment.DATABASE_URL ?? '';
    await refuseWrongSchema(url);
    return { url, embedded, doors: {} };
  }
  if (await isBehind(embedded)) await migrateUp(embedded.url);
  await Promise.all([prepareQueueSchema(embedded.url), openLocalDoors(embedded.url)]);
  return { url: embedded.url, embedded, doors: localDoors(embedded.url) };
}

async function refuseWrongSchema(url: string): Promise<void> {
  const status = await readStatus(url);
  if (status.unknown.length > 0) throw newer(status.unknown);
  if (status.pending.length > 0) {
    throw new Error(`the schema is not current (${status.pending.length} pending); run: npm run calsync -- migrate up`);
  }
}

async function isBehind(embedded: EmbeddedPostgres): Promise<boolean> {
  const { unknown, pending } = await migrationStatus(embedded.url);
  if (unknown.length === 0) return pending.length > 0;
  await embedded.stop();
  throw newer(unknown);
}

function newer(unknown: readonly string[]): Error {
  return new Error(`the database has a newer schema (${unknown.join(', ')}) than this version knows`);
}

async function readStatus(url: string) {
  try {
    return await migrationStatus(url);
  } catch (error) {
    const code = (error as { code?: string }).code ?? 'unknown';
    throw new Error(`the database at DATABASE_URL cannot be used (${code})`);
  }
}
