/** Before the tests: one real PostgreSQL (fast, private) with a migrated template, and a real Redis if one is here. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EmbeddedPostgres, makeReachableDir, startEmbeddedPostgres } from '@bookiji/runtime';
import { prepareTestDatabase } from './database-roles.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

export const TEMPLATE = 'calsync_template';

export default async function globalSetup(): Promise<void> {
  const dir = makeReachableDir('calsync-test-');
  const postgres = await startEmbeddedPostgres({ dataDir: join(dir, 'postgres'), database: TEMPLATE, fast: true });
  await prepareTestDatabase(postgres.url);
  const redis = await startRedis();
  process.env.CALSYNC_TEST_POSTGRES = postgres.url;
  if (redis !== null) process.env.CALSYNC_TEST_REDIS = redis.url;
  keepOutput();
  writeFileSync(join(dir, 'README'), 'Made by a test run; may be removed.\n');
  (globalThis as { calsyncServers?: Servers }).calsyncServers = { postgres, redis, dir };
}

/** Of every process that is started from here on, the tests' own and the product's. */
function keepOutput(): void {
  const folder = fileURLToPath(new URL(`../../../.bookiji/test-logs/${process.pid}`, import.meta.url));
  mkdirSync(folder, { recursive: true });
  process.env.CALSYNC_TEST_LOGS = folder;
  const preload = new URL('../jest/keep-output.mjs', import.meta.url).href;
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import=${preload}`.trim();
}

export interface Servers {
  readonly postgres: EmbeddedPostgres;
  readonly redis: RedisServer | null;
  readonly dir: string;
}
