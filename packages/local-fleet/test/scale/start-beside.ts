/** Processes beside a running fleet: another version of the code, another clock. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Environment, findFreePort } from '@bookiji/runtime';
import { commandOf, environmentOf, type LocalFleet, ROOT, waitUntil } from '../../src/index.ts';

const PORTS = {
  'inbound-worker': 'INBOUND_WORKER_PORT',
  'outbound-worker': 'OUTBOUND_WORKER_PORT',
  'retry-worker': 'RETRY_WORKER_PORT',
} as const;

export interface Beside {
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

export interface BesideOptions {
  /** The folder of the version whose code runs; this one's when not said. */
  readonly root?: string;
  readonly environment?: Environment;
}

export async function startBeside(
  fleet: LocalFleet,
  role: keyof typeof PORTS,
  { root = ROOT, environment = {} }: BesideOptions,
): Promise<Beside> {
  const port = await findFreePort();
  const { command, args } = commandOf(role);
  const child = spawn(command, [...args.slice(0, 2), join(root, 'apps', role, 'src', 'main.ts')], {
    cwd: root,
    env: {
      ...environmentOf(role, fleet.environment),
      ...environment,
      [PORTS[role]]: String(port),
    } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`${role} ended: ${lines.slice(-5).join('\n')}`);
    return (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.ok === true;
  };
  await waitUntil(`${role} beside the fleet`, isReady, 60_000, 50);
  return {
    lines,
    async stop() {
      process.removeListener('exit', end);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}
