import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '@bookiji/local-fleet';

/** Runs a command with this terminal; resolves to its exit code. */
export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: 'inherit' });
    child.once('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      resolve(127);
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

export function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

/** The path of a package's own program. */
export function program(path: string): string {
  return join(ROOT, 'node_modules', ...path.split('/'));
}
