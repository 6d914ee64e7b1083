/**
 * `npm run bench -- [name …] [--json] [--profile] [--gate] [--document] [--scale S] [--minutes N]`: servers up, benchmarks one after the other, a
 * table, and JSON. The gate fails the run when a ratio is not met; documenting puts the table into docs/benchmarks.md.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { migrateUp } from '@bookiji/db/migrate';
import { ROOT, STATE_DIR } from '@bookiji/local-fleet';
import { makeReachableDir, startEmbeddedPostgres } from '@bookiji/runtime';
import { startRedis } from '@bookiji/testing';
import connect from 'postgres';
import type { BenchResult, Stage } from './figures.ts';
import { BENCHES, LONG_BENCHES } from './list.ts';
import { keepResults, listMissed, toTable, writeIntoPage } from './report.ts';

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    gate: { type: 'boolean', default: false },
    document: { type: 'boolean', default: false },
    scale: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '60' },
  },
});
const ALL = [...BENCHES, ...LONG_BENCHES];
const unknown = wanted.filter((name) => !ALL.some((bench) => bench.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `bench: there is no ${unknown.join(', ')}; there are ${ALL.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(1);
}

const dir = makeReachableDir('calsync-bench-');
const postgres = await openPostgres(join(dir, 'postgres'));
// Where `createTestDatabase` clones from.
process.env.CALSYNC_TEST_POSTGRES = postgres.url;
const redis = await startRedis();
if (redis === null) {
  process.stderr.write('bench: redis-server is missing\n');
  process.exit(1);
}
const stage: Stage = {
  redisUrl: redis.url,
  pids: { postgres: readPid(join(dir, 'postgres')), redis: redis.pid },
  profileDir: options.profile ? join(STATE_DIR, 'profiles') : null,
  scale: readPositive('scale', options.scale),
  minutes: readPositive('minutes', options.minutes),
  say: (line) => process.stderr.write(`  ${line}\n`),
};
const results: BenchResult[] = [];
try {
  for (const bench of wanted.length === 0 ? BENCHES : ALL) {
    if (wanted.length > 0 && !wanted.includes(bench.name)) continue;
    process.stderr.write(`${bench.name}: ${bench.about}\n`);
    const { name, about } = bench;
    results.push({ bench: name, about, measuredAt: new Date().toISOString(), ...(await bench.run(stage)) });
  }
} finally {
  await redis.stop();
  await postgres.stop();
  rmSync(dir, { recursive: true, force: true });
}
const order = ALL.map(({ name }) => name);
const report = keepResults(join(STATE_DIR, 'bench.json'), results, order);
// A verdict on a hundred series is no table for a page.
const isVerdict = (name: string) => ALL.find((bench) => bench.name === name)?.isVerdict === true;
if (options.document) {
  const shown = report.results.filter(({ bench }) => !isVerdict(bench));
  writeIntoPage(join(ROOT, 'docs', 'benchmarks.md'), { ...report, results: shown });
}
process.stdout.write(options.json ? `${JSON.stringify({ results })}\n` : toTable(results));
const missed = listMissed(results);
for (const line of missed) process.stderr.write(`missed: ${line}\n`);
const verdicts = results.filter(({ bench }) => options.gate || isVerdict(bench));
process.exit(listMissed(verdicts).length > 0 ? 1 : 0);

function readPositive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  process.stderr.write(`bench: --${name} wants a positive number\n`);
  process.exit(1);
}

function readPid(dataDir: string): number {
  try {
    return Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  } catch {
    return 0;
  }
}

/** Durable as in production, and it remembers when each transaction was committed. */
async function openPostgres(dataDir: string) {
  const options = { dataDir, database: 'calsync_template' };
  const first = await startEmbeddedPostgres(options);
  await migrateUp(first.url);
  const sql = connect(first.url, { max: 1 });
  await sql`ALTER SYSTEM SET track_commit_timestamp = on`;
  await sql`ALTER SYSTEM SET min_wal_size = '512MB'`;
  await sql.end();
  await first.stop();
  const server = await startEmbeddedPostgres(options);
  await fillLog(server.url);
  return server;
}

/** A server that has run for a while writes its log into files it has; a fresh one stands still to make each of them. */
async function fillLog(url: string): Promise<void> {
  const sql = connect(url, { max: 1 });
  for (let mb = 0; mb < 512; mb += 8) await sql`SELECT pg_logical_emit_message(false, 'bench', repeat('x', 8 << 20))`;
  await sql`CHECKPOINT`;
  await sql.end();
}
