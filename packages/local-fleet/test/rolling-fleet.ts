/** A fleet as a deployment runs one: two of ingress, and every process replaced in turn when its environment changes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Environment, findFreePort } from '@bookiji/runtime';
import { commandOf, environmentOf, type Role, waitUntil } from '../src/index.ts';

const PROCESSES = {
  'ingress-a': ['ingress', 'INGRESS_PORT'],
  'ingress-b': ['ingress', 'INGRESS_PORT'],
  'inbound-worker': ['inbound-worker', 'INBOUND_WORKER_PORT'],
  'outbound-worker': ['outbound-worker', 'OUTBOUND_WORKER_PORT'],
  'retry-worker': ['retry-worker', 'RETRY_WORKER_PORT'],
  ops: ['ops', 'OPS_PORT'],
} as const satisfies Record<string, readonly [Role, string]>;

type Name = keyof typeof PROCESSES;
const NAMES = Object.keys(PROCESSES) as Name[];

export interface RollingFleet {
  readonly urls: Readonly<Record<Name, string>>;
  readonly lines: readonly string[];
  /** Replaces each process by one with this environment; of ingress one at a time. */
  roll(environment: Environment): Promise<void>;
  stop(): Promise<void>;
}

export async function startRollingFleet(environment: Environment): Promise<RollingFleet> {
  const ports = Object.fromEntries(await Promise.all(NAMES.map(async (name) => [name, await findFreePort()])));
  const urls = Object.fromEntries(
    NAMES.map((name) => [name, `http://127.0.0.1:${ports[name]}`]),
  ) as RollingFleet['urls'];
  const children = new Map<Name, ChildProcess>();
  const lines: string[] = [];

  /** Again, as every orchestrator does, when it ended before it was ready: the database may be slow to answer. */
  const start = async (name: Name, given: Environment, tries = 3): Promise<void> => {
    const [role, portVariable] = PROCESSES[name];
    const { command, args } = commandOf(role);
    const env = { ...environmentOf(role, given), [portVariable]: String(ports[name]) };
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => lines.push(`${name} ${line}`));
    children.set(name, child);
    await waitUntil(`${name} to be ready`, () => isReady(child, name, urls[name]), 120_000, 50).catch(
      (error: Error) => {
        if (error instanceof EndedError && tries > 1) return start(name, given, tries - 1);
        const said = lines.filter((line) => line.startsWith(name)).slice(-5);
        throw new Error(`${error.message}; it said ${said.join('\n')}`);
      },
    );
  };
  const end = async (name: Name) => {
    const child = children.get(name);
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  };
  const replace = async (name: Name, given: Environment) => {
    await end(name);
    await start(name, given);
  };

  await Promise.all(NAMES.map((name) => start(name, environment)));
  return {
    urls,
    lines,
    async roll(given) {
      await Promise.all([
        replace('ingress-a', given).then(() => replace('ingress-b', given)),
        ...NAMES.filter((name) => !name.startsWith('ingress')).map((name) => replace(name, given)),
      ]);
    },
    stop: async () => void (await Promise.all(NAMES.map(end))),
  };
}

class EndedError extends Error {}

async function isReady(child: ChildProcess, name: string, url: string): Promise<boolean> {
  if (child.exitCode !== null) throw new EndedError(`${name} ended with ${child.exitCode}`);
  return fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}
