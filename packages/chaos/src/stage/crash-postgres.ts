/** A PostgreSQL of this run's own that can crash and come back. What was committed before a crash is there after it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrateUp } from '@bookiji/db/migrate';
import { type EmbeddedPostgres, findFreePort, startEmbeddedPostgres } from '@bookiji/runtime';
import postgres from 'postgres';

export interface CrashPostgres {
  readonly url: string;
  /** `pg_ctl stop -m immediate`: every connection breaks, open transactions are lost, recovery follows at the start. */
  crash(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const DATABASE = 'chaos';

export async function startCrashPostgres(dir: string): Promise<CrashPostgres> {
  const options = { dataDir: join(dir, 'postgres'), database: DATABASE, port: await findFreePort() };
  let server: EmbeddedPostgres | null = await startEmbeddedPostgres(options);
  const { url } = server;
  const dataDir = await tune(url);
  await migrateUp(url);
  return {
    url,
    async crash() {
      server = null;
      await stopImmediately(dataDir);
    },
    async start() {
      server ??= await startEmbeddedPostgres(options);
    },
    async stop() {
      await server?.stop();
    },
  };
}

/** Resolves when the server of this folder is gone. */
export async function stopImmediately(dataDir: string): Promise<void> {
  const pid = Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  process.kill(pid, 'SIGQUIT');
  while (isAlive(pid)) await sleep(5);
}

/**
 * The processes crash here, the machine does not: what a commit handed to the operating system is safe without waiting
 * for the disk. Commits themselves stay synchronous.
 *
 * @returns the folder of its data.
 */
export async function tune(url: string): Promise<string> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await sql.unsafe('ALTER SYSTEM SET fsync = off');
    await sql.unsafe('ALTER SYSTEM SET full_page_writes = off');
    await sql.unsafe('SELECT pg_reload_conf()');
    const [row] = await sql<{ data_directory: string }[]>`SHOW data_directory`;
    return row?.data_directory ?? '';
  } finally {
    await sql.end();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
