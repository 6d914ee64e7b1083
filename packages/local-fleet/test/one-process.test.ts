/** `npm run start:<process>`: one process alone, from the environment. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '@bookiji/runtime';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { localDoors, localEnvironment, ROOT, waitUntil } from '../src/index.ts';

const stateDir = mkdtempSync(join(tmpdir(), 'calsync-one-'));
let database: TestDatabase;
let child: ChildProcess;
let url: string;
let apiToken: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const port = await findFreePort();
  url = `http://127.0.0.1:${port}`;
  const given = { ...process.env, PUBLIC_BASE_URL: '', INGRESS_PORT: String(port), DATABASE_URL: database.url };
  const environment = localEnvironment({ ...given, ...localDoors(database.url) }, 'http://127.0.0.1:1', stateDir);
  apiToken = environment.API_TOKENS ?? '';
  child = spawn(process.execPath, ['scripts/run.mjs', 'process', 'ingress'], {
    cwd: ROOT,
    env: environment as NodeJS.ProcessEnv,
    stdio: 'ignore',
  });
  const isUp = () =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitUntil('ingress', isUp, 30_000);
}, 60_000);

afterAll(async () => {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
  await database.drop();
  rmSync(stateDir, { recursive: true, force: true });
});

describe('ingress started alone', () => {
  test('[A-1] on a port of its own gives connect links that lead to that port', async () => {
    const answer = await fetch(`${url}/api/calendar/connect-links`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ provider_id: randomUUID(), calendar_provider: 'google', return_to: 'http://localhost/' }),
    });
    const link = (await answer.json()) as { url: string };
    expect(new URL(link.url).origin).toBe(url);
  });
});
