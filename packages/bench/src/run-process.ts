import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { commandOf, ROOT, type Role, waitUntil } from '@bookiji/local-fleet';

export interface RunningProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * One process of the product, ready to work.
 *
 * @param profileDir where a CPU profile goes when it ends; null for none.
 */
export function startRole(
  role: Role,
  env: Record<string, string | undefined>,
  url: string,
  profileDir: string | null = null,
): Promise<RunningProcess> {
  const { command, args } = commandOf(role);
  const profile = profileDir === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
  return launch(command, [...profile, ...args], env, `${url}/readyz`);
}

/** A script of the benchmark, by its path below `packages/bench/src`. */
export function startScript(path: string, env: Record<string, string>, url: string): Promise<RunningProcess> {
  const file = join(ROOT, 'packages', 'bench', 'src', path);
  const { command, args } = commandOf('sandbox');
  return launch(command, [...args.slice(0, -1), file], { ...process.env, ...env }, url);
}

async function launch(
  command: string,
  args: readonly string[],
  env: Record<string, string | undefined>,
  readyUrl: string,
): Promise<RunningProcess> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  await waitUntil(
    `an answer from ${readyUrl}`,
    () => {
      if (child.exitCode !== null) throw new Error(`${args.at(-1)} ended with code ${child.exitCode}`);
      return fetch(readyUrl).then(
        (response) => response.ok,
        () => false,
      );
    },
    20_000,
  );
  return { pid: child.pid ?? 0, stop: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await ended;
}
