import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { findFreePort, makeReachableDir } from '@bookiji/runtime';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FLEET_PORT_VARIABLES, localEnvironment, ROOT } from '../src/index.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** What `npm run fleet`, or one process alone, says on stderr, and how it ends, when it cannot start. */
async function runFleet(
  over: Record<string, string>,
  task: readonly string[] = ['fleet'],
): Promise<{ code: number | null; said: string[] }> {
  const environment = localEnvironment(
    {
      ...process.env,
      ...Object.fromEntries(FLEET_PORT_VARIABLES.map((name) => [name, '0'])),
      DATABASE_URL: database.url,
    },
    'http://127.0.0.1:1',
  );
  const child = spawn(process.execPath, ['scripts/run.mjs', ...task], {
    cwd: ROOT,
    env: { ...environment, ...over } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const timer = setTimeout(() => child.kill('SIGTERM'), 60_000);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  return { code, said: text.split('\n').filter((line) => line !== '') };
}

describe('a fleet that cannot start says why in one line', () => {
  test.each([
    [{ SWEEP_INTERVAL_MS: 'often' }, 'SWEEP_INTERVAL_MS must be a whole number from 100 to 86400000'],
    [{ SYNC_WINDOW_FUTURE_DAYS: '0' }, 'SYNC_WINDOW_FUTURE_DAYS must be a whole number from 1 to 1000'],
    [{ API_TOKENS: '' }, 'API_TOKENS is missing'],
    [{ TOKEN_ENCRYPTION_KEYS: 'k1:c2hvcnQ=' }, 'TOKEN_ENCRYPTION_KEYS must be id:base64(32 bytes), comma-separated'],
    [{ OPS_READ_ONLY: 'perhaps' }, 'OPS_READ_ONLY must be true (on) or false (off)'],
    [{ CHANNEL_SECRETS: 'short' }, 'CHANNEL_SECRETS must hold secrets of at least 6 characters'],
    [{ CALENDAR_ALLOWLIST_PROVIDER_IDS: 'dana' }, 'CALENDAR_ALLOWLIST_PROVIDER_IDS must be UUIDs, comma-separated'],
    [{ REDIS_URL: 'http://redis' }, 'REDIS_URL must be a redis:// URL'],
    [
      { GOOGLE_API_BASE_URL: 'http://example.com' },
      'GOOGLE_API_BASE_URL must be an https URL (http only for 127.0.0.1 and localhost)',
    ],
  ])('%j', async (over, line) => {
    expect(await runFleet(over as unknown as Record<string, string>)).toEqual({ code: 1, said: [`fleet: ${line}`] });
  });

  test('a port in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const { port } = server.address() as { port: number };
    const { code, said } = await runFleet({ INGRESS_PORT: String(port) });
    server.close();
    expect({ code, said }).toEqual({ code: 1, said: [`fleet: INGRESS_PORT ${port} is in use`] });
  });

  test('a port in use, of one process alone', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const { port } = server.address() as { port: number };
    const over = { INGRESS_PORT: String(port), OPS_PORT: String(port) };
    const { code, said } = await runFleet(over, ['process', 'ingress']);
    server.close();
    expect({ code, said }).toEqual({ code: 1, said: [`ingress: INGRESS_PORT ${port} is in use`] });
  });

  test('a port that two processes are given', async () => {
    const port = String(await findFreePort());
    const { code, said } = await runFleet({ INGRESS_PORT: port, RETRY_WORKER_PORT: port });
    expect({ code, said }).toEqual({ code: 1, said: [`fleet: RETRY_WORKER_PORT ${port} is that of INGRESS_PORT too`] });
  });

  test.each([
    ['ingress', { INGRESS_PORT: 'abc', PUBLIC_BASE_URL: '' }, 'INGRESS_PORT must be a whole number from 0 to 65535'],
    ['retry-worker', { BACKOFF_MAX_SECONDS: 'x' }, 'BACKOFF_MAX_SECONDS must be a whole number from 1 to 31536000'],
    ['ops', { OPS_TOKENS: '' }, 'OPS_TOKENS is missing'],
  ])('%s alone with %j', async (role, over, line) => {
    const { code, said } = await runFleet(over as unknown as Record<string, string>, ['process', role]);
    expect({ code, said }).toEqual({ code: 1, said: [`${role}: ${line}`] });
  });

  test('[M-1] a database of a newer schema', async () => {
    const newer = await createTestDatabase();
    await newer.sql`INSERT INTO schema_migrations (name, run_on) VALUES ('9999_from_the_future', now())`;
    const { code, said } = await runFleet({ DATABASE_URL: newer.url });
    await newer.drop();
    expect(code).toBe(1);
    expect(said).toEqual(['fleet: the database has a newer schema (9999_from_the_future) than this version knows']);
  });

  test('[M-1] a database whose schema is not current names the command that cures it', async () => {
    const older = await createTestDatabase();
    await older.sql`DELETE FROM schema_migrations WHERE id = (SELECT max(id) FROM schema_migrations)`;
    const { code, said } = await runFleet({ DATABASE_URL: older.url });
    await older.drop();
    expect(code).toBe(1);
    expect(said).toEqual(['fleet: the schema is not current (1 pending); run: npm run calsync -- migrate up']);
  });

  const isIsolating = spawnSync('unshare', ['-n', 'true']).status === 0;
  // Not everybody may make a network of their own; root, as in CI, may.
  (isIsolating ? test : test.skip)('a machine whose loopback interface is down', async () => {
    const dataDir = join(makeReachableDir('calsync-lo-'), 'data');
    const script = `
      const { startEmbeddedPostgres } = await import('@bookiji/runtime');
      await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, database: 'x' }).catch((error) => console.log(error.message));`;
    const flags = ['--conditions=@bookiji/source', '--input-type=module', '-e', script];
    const { stdout } = spawnSync('unshare', ['-n', process.execPath, ...flags], {
      cwd: join(ROOT, 'packages', 'local-fleet'),
      encoding: 'utf8',
    });
    rmSync(join(dataDir, '..'), { recursive: true, force: true });
    expect(stdout).toBe('127.0.0.1 cannot be reached: the loopback interface is down\n');
  });

  test('a database that is not there', async () => {
    const { code, said } = await runFleet({ DATABASE_URL: `postgres://app@127.0.0.1:1/${randomUUID()}` });
    expect({ code, said }).toEqual({
      code: 1,
      said: ['fleet: the database at DATABASE_URL cannot be used (ECONNREFUSED)'],
    });
  });
});
