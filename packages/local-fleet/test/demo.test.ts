import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestDatabase, startRedis } from '@bookiji/testing';
import { afterEach, describe, expect, test } from '@jest/globals';
import { LOCAL_PORT_VARIABLES, ROOT, waitUntil } from '../src/index.ts';

const TRANSPORTS = ['PostgreSQL', ...(process.env.CALSYNC_TEST_REDIS === undefined ? [] : ['Redis'])];

/** Times and dates differ from run to run, and a test brings its own database. */
const withoutTimes = (text: string) =>
  text
    .replaceAll(/^ *\[[\d.]+ s\] /gm, '')
    .replaceAll(/\d{4}-\d{2}-\d{2}/g, 'DAY')
    .replaceAll(/\(\d+ ms\)/g, '(N ms)');

function linesOfReadme(transport: string): string[] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const block = withoutTimes(/```text\n([\s\S]*?)```/.exec(readme)?.[1] ?? '').trim();
  const lines = block.replace('queues on PostgreSQL', `queues on ${transport}`).split('\n');
  return lines.filter((line) => !line.startsWith('embedded PostgreSQL'));
}

let child: ChildProcess | null = null;
/** A test that fails before its end leaves a fleet, which would keep the whole run from ending. */
afterEach(async () => {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child?.once('close', resolve));
  process.kill(-(child.pid ?? 0), 'SIGINT');
  await ended;
});

describe('npm start', () => {
  test.each(TRANSPORTS)(
    '[S-5] [A-1] with queues on %s plays what README shows, stays up, and leaves no process behind after Ctrl-C',
    async (transport) => {
      const redis = transport === 'Redis' ? await startRedis() : null;
      const database = await createTestDatabase();
      const started = spawn(process.execPath, ['scripts/run.mjs', 'start'], {
        cwd: ROOT,
        env: {
          ...process.env,
          ...Object.fromEntries(LOCAL_PORT_VARIABLES.map((name) => [name, '0'])),
          DATABASE_URL: database.url,
          REDIS_URL: redis?.url ?? '',
        },
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      });
      child = started;
      let said = '';
      started.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      const ended = new Promise<number | null>((resolve) => started.once('close', resolve));
      await waitUntil('the addresses', () => said.includes('Everything stays up') && said.includes('log  '), 90_000);

      for (const slot of ['10:00–11:00', '11:00–12:00']) {
        expect(said).toContain(`a row in external_calendar_events, ${slot}`);
      }
      expect(said).toMatch(/free now: 09:00–10:00\n/);
      expect(said).toContain('slots are back: 09:00–10:00  10:00–11:00  11:00–12:00');
      for (const step of ['one event in each', 'the same events, moved', 'the events are gone'])
        expect(said).toContain(step);
      const spoken = withoutTimes(said).split('\n');
      const shown = linesOfReadme(transport);
      expect(shown.length).toBeGreaterThan(20);
      expect(shown.filter((line) => !spoken.includes(line))).toEqual([]);
      // The first two stories are not kept waiting by the third.
      expect(said.indexOf('the events are gone')).toBeLessThan(said.indexOf('whole life'));
      expect(said).toMatch(
        /connected, synced and watched[\s\S]*disappears from both[\s\S]*renewed[\s\S]*no longer grants access[\s\S]*connects again[\s\S]*disconnects/,
      );
      const addresses = [...said.matchAll(/http:\/\/127\.0\.0\.1:\d+/g)].map(([url]) => url);
      expect(new Set(addresses).size).toBe(3);
      for (const url of addresses) expect((await fetch(`${url}/healthz`)).status).toBe(200);
      // Its programs find the files that lie beside the sources.
      const [, consoleUrl = '', password = ''] = /console +(\S+)\/ +password (\S+)/.exec(said) ?? [];
      for (const path of ['/queues', '/assets/vendor/fullcalendar.js', '/runbooks']) {
        const { status } = await fetch(`${consoleUrl}${path}`, { headers: { authorization: `Bearer ${password}` } });
        expect({ path, status }).toEqual({ path, status: 200 });
      }

      // As a terminal does it: to the whole group.
      process.kill(-(started.pid ?? 0), 'SIGINT');
      expect(await ended).toBe(0);
      for (const url of addresses) await expect(fetch(`${url}/healthz`)).rejects.toThrow();
      // The server hears of a process's end a moment after it; one that was left behind would stay connected.
      await waitUntil('nobody else to be connected', async () => {
        const [open] = await database.sql`
          SELECT count(*)::int AS others FROM pg_stat_activity
           WHERE datname = current_database() AND application_name <> 'test'`;
        return open?.others === 0;
      });
      await database.drop();
      await redis?.stop();
    },
    120_000,
  );
});
