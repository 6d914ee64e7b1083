/** A PostgreSQL with a streaming replica that takes its place when it crashes. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, chownSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrateUp } from '@bookiji/db/migrate';
import { waitUntil } from '@bookiji/local-fleet';
import { makeReachableDir, startEmbeddedPostgres } from '@bookiji/runtime';
import { type Relay, startRelay } from '@bookiji/testing';
import postgres from 'postgres';
import { type CrashPostgres, stopImmediately, tune } from '../../src/stage/crash-postgres.ts';

export interface ReplicatedPostgres extends CrashPostgres {
  /** Which server's life this is: 1 before the failover, 2 after it. */
  timeline(): Promise<number>;
}

const DATABASE = 'chaos';
const SLOT = 'standby';
/** How far behind the replica is when the primary crashes. */
const LAG_MS = 800;

/**
 * Clients reach whichever is the primary at one address, as behind a virtual one. The replica hears nothing more for a
 * while before the crash, so that there is something to lose.
 *
 * @param isSynchronous whether a commit waits for the replica.
 */
export async function startReplicatedPostgres(dir: string, isSynchronous: boolean): Promise<ReplicatedPostgres> {
  const closers: (() => Promise<unknown> | unknown)[] = [];
  const stop = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const primary = await startEmbeddedPostgres({ dataDir: join(dir, 'postgres'), database: DATABASE });
    closers.push(() => primary.stop());
    const dataDir = await tune(primary.url);
    await migrateUp(primary.url);
    const stream = await startRelay(portOf(primary.url));
    closers.push(() => stream.close());
    const home = makeReachableDir('calsync-standby-');
    closers.push(() => rmSync(home, { recursive: true, force: true }));
    const copy = join(home, 'data');
    await copyCluster(primary.url, dataDir, copy);
    follow(copy, stream);
    const standby = await startEmbeddedPostgres({ dataDir: copy, database: DATABASE });
    closers.push(() => standby.stop());
    await untilReplicating(primary.url, isSynchronous);
    const front = await startRelay(portOf(primary.url));
    closers.push(() => front.close());
    const url = withPort(primary.url, front.port);
    return {
      url,
      async crash() {
        stream.freeze();
        await sleep(LAG_MS);
        front.cut();
        await stopImmediately(dataDir);
      },
      async start() {
        await ask(standby.url, (sql) => sql`SELECT pg_promote(true, 30)`);
        front.redirect(portOf(standby.url));
        front.restore();
      },
      timeline: () => ask(url, readTimeline),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function readTimeline(sql: postgres.Sql): Promise<number> {
  // The first checkpoint of the new life may not have been yet; the name of the log's file says it at once.
  const [row] = await sql<{ timeline: number }[]>`
    SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS timeline`;
  return row?.timeline ?? 0;
}

/** Copies the files of a server that runs: what changes meanwhile is in its log, which the copy asks for. */
async function copyCluster(url: string, from: string, to: string): Promise<void> {
  await ask(url, async (sql) => {
    await sql`SELECT pg_create_physical_replication_slot(${SLOT}, true)`;
    await sql`SELECT pg_backup_start('replica', true)`;
    execFileSync('cp', ['-a', from, to]);
    const [row] = await sql<{ labelfile: string }[]>`SELECT labelfile FROM pg_backup_stop(false)`;
    rmSync(join(to, 'postmaster.pid'), { force: true });
    for (const folder of ['pg_wal', 'pg_replslot']) empty(join(to, folder));
    give(to, 'backup_label', row?.labelfile ?? '');
  });
}

function empty(dir: string): void {
  for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true });
}

/** A file for the user who runs the server. */
function give(dataDir: string, name: string, text: string): void {
  const { uid, gid } = statSync(dataDir);
  writeFileSync(join(dataDir, name), text);
  chownSync(join(dataDir, name), uid, gid);
}

function follow(dataDir: string, stream: Relay): void {
  const source = `host=127.0.0.1 port=${stream.port} user=app`;
  appendFileSync(
    join(dataDir, 'postgresql.auto.conf'),
    `primary_conninfo = '${source}'\nprimary_slot_name = '${SLOT}'\n`,
  );
  give(dataDir, 'standby.signal', '');
}

async function untilReplicating(url: string, isSynchronous: boolean): Promise<void> {
  await ask(url, async (sql) => {
    if (isSynchronous) {
      await sql`ALTER SYSTEM SET synchronous_standby_names = '*'`;
      await sql`SELECT pg_reload_conf()`;
    }
    const wanted = isSynchronous ? 'sync' : 'async';
    const isFollowed = async () => {
      const [row] = await sql`SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'`;
      return row?.sync_state === wanted;
    };
    await waitUntil(`the replica to follow (${wanted})`, isFollowed, 30_000);
  });
}

async function ask<Answer>(url: string, work: (sql: postgres.Sql) => Promise<Answer>): Promise<Answer> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

function withPort(url: string, port: number): string {
  const other = new URL(url);
  other.port = String(port);
  return other.href;
}
