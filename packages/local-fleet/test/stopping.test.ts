import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FLEET_PORT_VARIABLES, FLEET_ROLES, localEnvironment, ROOT } from '../src/index.ts';

/** What a supervisor is promised. */
const ENDS_WITHIN_MS = 20_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** As a supervisor that knows nothing but the command starts it: npm is the only process it can signal. */
function startByCommand(command: string): ChildProcess {
  const given = {
    ...process.env,
    ...Object.fromEntries(FLEET_PORT_VARIABLES.map((name) => [name, '0'])),
    DATABASE_URL: database.url,
  };
  const env = localEnvironment(given, 'http://127.0.0.1:1') as NodeJS.ProcessEnv;
  return spawn('npm', ['run', command], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'ignore'], detached: true });
}

async function untilReady(npm: ChildProcess, processes: number): Promise<void> {
  if (npm.stdout === null) throw new Error('stdout is read');
  let ready = 0;
  for await (const line of createInterface({ input: npm.stdout })) {
    if (line.includes('"msg":"ready"')) ready += 1;
    if (ready === processes) break;
  }
  npm.stdout.resume();
}

/** `close` comes when nobody holds stdout any more: npm, what it started, and what that started in turn. */
async function howItEnds(npm: ChildProcess, signal: NodeJS.Signals): Promise<number | string | null> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('still running'), ENDS_WITHIN_MS);
  });
  const closed = new Promise<number | null>((resolve) => npm.once('close', resolve));
  npm.kill(signal);
  const outcome = await Promise.race([closed, tooLate]);
  clearTimeout(timer);
  return outcome;
}

test.each([
  ['SIGTERM', 'fleet', FLEET_ROLES.length],
  ['SIGINT', 'fleet', FLEET_ROLES.length],
  ['SIGTERM', 'start:ingress', 1],
] as const)(
  '[S-4] %s to npm ends all that `npm run %s` started, with exit code 0',
  async (signal, command, processes) => {
    const npm = startByCommand(command);
    await untilReady(npm, processes);
    const outcome = await howItEnds(npm, signal);
    if (outcome === 'still running') process.kill(-(npm.pid ?? 0), 'SIGKILL');
    expect(outcome).toBe(0);
  },
  90_000,
);
