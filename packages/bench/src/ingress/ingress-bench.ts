import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localEnvironment } from '@bookiji/local-fleet';
import { findFreePort } from '@bookiji/runtime';
import { channelSecret, createChannelId } from '@bookiji/sync';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { cpuSecondsOf } from '../cpu-time.ts';
import { type Bench, median, round } from '../figures.ts';
import { startRole, startScript } from '../run-process.ts';
import { type LoadReport, runWrk } from './wrk.ts';

const CONNECTIONS = 2_000;
const ROUNDS = 3;
const SECONDS = 5;
const SECRET = 'a secret of the benchmark';

/** Ingress whole (proof, deduplication, commit, ring) against a handler that answers at once, and the plain version. */
export const ingressBench: Bench = {
  name: 'ingress',
  about:
    'notifications a second, 64 keep-alive clients, each notification new; servers, stores and load on one machine',
  async run({ redisUrl, pids, profileDir, say }) {
    const dir = mkdtempSync(join(tmpdir(), 'calsync-bench-'));
    const database = await createTestDatabase();
    const ports = { bare: await findFreePort(), plain: await findFreePort(), ingress: await findFreePort() };
    const url = (name: keyof typeof ports) => `http://127.0.0.1:${ports[name]}`;
    const environment = localEnvironment(
      {
        ...process.env,
        DATABASE_URL: database.url,
        REDIS_URL: redisUrl,
        QUEUE_PREFIX: '{bench}',
        CHANNEL_SECRETS: SECRET,
        INGRESS_PORT: String(ports.ingress),
        LOG_LEVEL: 'warn',
      },
      'http://127.0.0.1:1',
      dir,
    );
    const targets = join(dir, 'targets.txt');
    writeFileSync(targets, await insertTargets(database));
    const stores = { DATABASE_URL: database.url, REDIS_URL: redisUrl, CHANNEL_SECRETS: SECRET };
    const processes = await Promise.all([
      startScript('ingress/bare-server.ts', { PORT: String(ports.bare) }, url('bare')),
      startScript('ingress/plain-server.ts', { PORT: String(ports.plain), ...stores }, url('plain')),
      startRole('ingress', environment, url('ingress'), profileDir),
    ]);
    const server = { bare: processes[0].pid, plain: processes[1].pid, ingress: processes[2].pid };
    try {
      const reports: Record<keyof typeof ports, LoadReport[]> = { bare: [], plain: [], ingress: [] };
      let from = 0;
      // In turns, so that whatever slows the machine for a while slows all three.
      for (let round = 0; round <= ROUNDS; round += 1) {
        for (const name of ['bare', 'plain', 'ingress'] as const) {
          const measure = () => [server[name], pids.postgres, pids.redis].map(cpuSecondsOf);
          const before = measure();
          const report = await runWrk(url(name), targets, from, round === 0 ? 2 : SECONDS);
          from += 10_000_000;
          const [own, postgres, redis] = measure().map((seconds, index) =>
            Math.round(((seconds - (before[index] ?? 0)) * 1e6) / report.requests),
          );
          say(
            `${name}: ${Math.round(report.requestsPerSecond)}/s, p99 ${round1(report.p99Ms)} ms; ` +
              `CPU a request: ${own} µs itself, ${postgres} µs PostgreSQL, ${redis} µs Redis`,
          );
          if (report.failures > 0) throw new Error(`${name}: ${report.failures} requests failed`);
          if (round > 0) reports[name].push(report);
        }
      }
      return summarize(reports);
    } finally {
      await Promise.all(processes.map((one) => one.stop()));
      await database.drop();
      rmSync(dir, { recursive: true, force: true });
    }
  },
};

function summarize(reports: Readonly<Record<'bare' | 'plain' | 'ingress', readonly LoadReport[]>>) {
  const speed = (name: keyof typeof reports) => median(reports[name].map((one) => one.requestsPerSecond));
  const p99 = (name: keyof typeof reports) => median(reports[name].map((one) => one.p99Ms));
  return {
    figures: (['bare', 'plain', 'ingress'] as const).flatMap((name) => [
      { name, value: Math.round(speed(name)), unit: '1/s' },
      { name: `${name} p99`, value: round1(p99(name)), unit: 'ms' },
    ]),
    ratios: [
      { name: 'ingress / bare', value: round(speed('ingress') / speed('bare')), target: { atLeast: 0.6 } },
      { name: 'ingress / plain', value: round(speed('ingress') / speed('plain')), target: { atLeast: 2.5 } },
    ],
  };
}

/** Connections with one active channel each; a line each for the load's script. */
async function insertTargets({ sql }: TestDatabase): Promise<string> {
  const rows = Array.from({ length: CONNECTIONS }, () => {
    const connectionId = randomUUID();
    return { connectionId, channelId: createChannelId(connectionId), resourceId: randomUUID() };
  });
  await sql`INSERT INTO external_calendar_connections ${sql(
    rows.map(({ connectionId }) => ({ id: connectionId, provider_id: randomUUID(), calendar_provider: 'google' })),
  )}`;
  await sql`INSERT INTO channels ${sql(
    rows.map(({ connectionId, channelId, resourceId }) => ({
      id: channelId,
      connection_id: connectionId,
      calendar_provider: 'google',
      state: 'active',
      resource_id: resourceId,
    })),
  )}`;
  return rows
    .map(({ channelId, resourceId }) => `${channelId} ${channelSecret('google', channelId, [SECRET])} ${resourceId}\n`)
    .join('');
}

function round1(value: number): number {
  return round(value, 1);
}
