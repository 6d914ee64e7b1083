/** What is read over and over while the fleet runs: of its processes, of PostgreSQL and of Redis. */
import { readFileSync } from 'node:fs';
import type { TestDatabase } from '@bookiji/testing';
import type { Redis } from 'ioredis';
import type { Allowance, Reading } from './judge-series.ts';

/** What may be read of one series, and what it may grow by; null for what is shown only. */
export interface Kind {
  readonly name: string;
  readonly unit: string;
  readonly allow: Allowance | null;
  /** What swings over minutes (a heap between collections, dead rows between vacuums) is only shown by a shorter run. */
  readonly fromMinutes?: number;
  readonly mayReturn?: boolean;
}

export interface Series {
  readonly kind: Kind;
  /** Whose: a process, a table, a kind of keys. */
  readonly of: string;
  readonly readings: Reading[];
}

const MB = 2 ** 20;
export const KINDS = {
  resident: { name: 'resident memory', unit: 'MB', allow: { share: 0.05, atLeast: 8 }, mayReturn: true },
  heap: { name: 'heap used, least of each interval', unit: 'MB', allow: { share: 0.08, atLeast: 6 }, fromMinutes: 30 },
  // A pool gives back sessions that are idle or old, and takes them again one by one as the work asks for them.
  files: { name: 'open files and sockets', unit: '', allow: { share: 0.05, atLeast: 3 }, mayReturn: true },
  handles: { name: 'active handles', unit: '', allow: { share: 0.05, atLeast: 3 }, mayReturn: true },
  lag: { name: 'event loop lag p99, worst of each interval', unit: 'ms', allow: null },
  sandbox: { name: 'resident memory', unit: 'MB', allow: null },
  connections: { name: 'database connections', unit: '', allow: { share: 0.05, atLeast: 3 }, mayReturn: true },
  rows: { name: 'rows', unit: '', allow: { share: 0.05, atLeast: 50 } },
  size: { name: 'size on disk with indexes', unit: 'MB', allow: { share: 0.05, atLeast: 0.5 } },
  // Of what is kept for a time: its rows follow how much there is to do, its age says that what is older is forgotten.
  rowsKept: { name: 'rows', unit: '', allow: null },
  sizeKept: { name: 'size on disk with indexes', unit: 'MB', allow: null },
  oldest: { name: 'age of the oldest row', unit: 's', allow: { share: 0.1, atLeast: 60 } },
  dead: { name: 'dead rows', unit: '', allow: { share: 0.25, atLeast: 2_000 }, fromMinutes: 30 },
  // How many jobs there are at one moment depends on who else uses the machine just then.
  keys: { name: 'keys', unit: '', allow: { share: 0.1, atLeast: 200 } },
  redisMemory: { name: 'memory used', unit: 'MB', allow: { share: 0.05, atLeast: 1 } },
} as const satisfies Record<string, Kind>;

export interface Watched {
  /** Process → the base address of its metrics. */
  readonly processes: ReadonlyMap<string, string>;
  readonly sandboxPid: number;
  readonly database: TestDatabase;
  readonly redis: Redis;
  readonly queuePrefix: string;
}

/** A process's own figures, as it exports them. */
interface ProcessFigures {
  readonly resident: number;
  readonly heap: number;
  readonly files: number;
  readonly handles: number;
  readonly lag: number;
}

export interface SeriesWatch {
  /** Between two readings: what swings fast is looked at more often. A process that does not answer is passed over. */
  peek(): Promise<void>;
  /** One reading of each series. */
  read(atMs: number): Promise<void>;
  readonly series: readonly Series[];
}

export function watchSeries(watched: Watched): SeriesWatch {
  const byName = new Map<string, Series>();
  const peeks = new Map<string, ProcessFigures[]>();
  const note = (kind: Kind, of: string, atMs: number, value: number) => {
    const name = `${kind.name}|${of}`;
    const one = byName.get(name) ?? { kind, of, readings: [] };
    byName.set(name, one);
    one.readings.push({ atMs, value });
  };
  const peek = async () => {
    const looks = [...watched.processes].map(async ([name, url]) => {
      const figures = await readProcess(url).catch(() => null);
      if (figures !== null) peeks.set(name, [...(peeks.get(name) ?? []), figures]);
    });
    await Promise.all(looks);
  };
  return {
    peek,
    async read(atMs) {
      await peek();
      for (const [name, figures] of peeks) {
        const last = figures.at(-1) as ProcessFigures;
        note(KINDS.resident, name, atMs, last.resident / MB);
        note(KINDS.heap, name, atMs, Math.min(...figures.map(({ heap }) => heap)) / MB);
        note(KINDS.files, name, atMs, last.files);
        note(KINDS.handles, name, atMs, last.handles);
        note(KINDS.lag, name, atMs, Math.max(...figures.map(({ lag }) => lag)) * 1_000);
      }
      peeks.clear();
      note(KINDS.sandbox, 'sandbox', atMs, residentOf(watched.sandboxPid) / MB);
      await readDatabase(watched.database, (kind, of, value) => note(kind, of, atMs, value));
      await readRedis(watched, (kind, of, value) => note(kind, of, atMs, value));
    },
    get series() {
      return [...byName.values()];
    },
  };
}

/** Tables whose rows are kept for a time → since when. */
const KEPT_SINCE: Readonly<Record<string, string>> = { sync_runs: 'finished_at', deliveries: 'received_at' };

type Note = (kind: Kind, of: string, value: number) => void;

async function readProcess(url: string): Promise<ProcessFigures> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) });
  const text = await response.text();
  const read = (name: string) => {
    const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].map(([, value]) => value);
    return values.reduce((sum, value) => sum + Number(value), 0);
  };
  return {
    resident: read('process_resident_memory_bytes'),
    heap: read('nodejs_heap_size_used_bytes'),
    files: read('process_open_fds'),
    handles: read('nodejs_active_handles_total'),
    lag: read('nodejs_eventloop_lag_p99_seconds'),
  };
}

function residentOf(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}

async function readDatabase({ sql }: TestDatabase, note: Note): Promise<void> {
  const connections = await sql`
    SELECT application_name AS name, count(*)::int AS n FROM pg_stat_activity
     WHERE datname = current_database() AND application_name <> 'test' AND backend_type = 'client backend' GROUP BY 1`;
  for (const { name, n } of connections) note(KINDS.connections, String(name), Number(n));
  const tables = await sql`
    SELECT relname AS name, n_dead_tup::int AS dead, pg_total_relation_size(relid)::float8 AS bytes
      FROM pg_stat_user_tables WHERE schemaname = 'public' AND relname <> 'schema_migrations'`;
  for (const { name, dead, bytes } of tables) {
    const since = KEPT_SINCE[String(name)];
    const [row] = await sql`SELECT count(*)::int AS n FROM ${sql(String(name))}`;
    note(since === undefined ? KINDS.rows : KINDS.rowsKept, String(name), Number(row?.n));
    note(since === undefined ? KINDS.size : KINDS.sizeKept, String(name), Number(bytes) / MB);
    if (since !== undefined) {
      const [oldest] = await sql`
        SELECT coalesce(extract(epoch FROM now() - min(${sql(since)})), 0)::float8 AS seconds FROM ${sql(String(name))}`;
      note(KINDS.oldest, String(name), Number(oldest?.seconds));
    }
    note(KINDS.dead, String(name), Number(dead));
  }
}

async function readRedis({ redis, queuePrefix }: Watched, note: Note): Promise<void> {
  const counts = new Map<string, number>();
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', `${escapeGlob(queuePrefix)}*`, 'COUNT', 1_000);
    cursor = next;
    for (const key of keys) {
      const kind = kindOfKey(key, queuePrefix);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
  } while (cursor !== '0');
  for (const [kind, count] of counts) note(KINDS.keys, kind, count);
  const [, bytes] = /used_memory:(\d+)/.exec(await redis.info('memory')) ?? [];
  note(KINDS.redisMemory, 'Redis', Number(bytes) / MB);
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[[\]*?\\]/g, '\\$&');
}

/** `queue` of the queue's own few keys, `queue:job` of its jobs, `queue:de` and so on of what hangs on jobs. */
export function kindOfKey(key: string, prefix: string): string {
  const [queue = '', part = '', ...more] = key.slice(prefix.length + 1).split(':');
  if (/^(\d+|.*[0-9a-f]{8}-.*|repeat.*)$/.test(part)) return `${queue}:job`;
  return more.length > 0 ? `${queue}:${part}` : queue;
}
