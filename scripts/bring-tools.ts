/** Brings Debian programs that tests need: installed when we may, else unpacked below `.bookiji/tools`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { STATE_DIR } from '@bookiji/local-fleet';
import { has } from './commands.ts';

const TOOLS = join(STATE_DIR, 'tools');

/** redis-server on PATH afterwards; false when it could not be had. */
export function bringRedis(): boolean {
  if (has('redis-server')) return true;
  useUnpacked();
  if (has('redis-server') || !has('apt-get')) return has('redis-server');
  process.stderr.write('bringing redis-server …\n');
  return process.getuid?.() === 0
    ? install(['redis-server'])
    : unpack(['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1']);
}

function install(packages: readonly string[]): boolean {
  const apt = (...args: string[]) =>
    spawnSync('apt-get', args, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
      .status === 0;
  const args = ['install', '-y', '--no-install-recommends', ...packages];
  if (!apt(...args) && !(apt('update') && apt(...args))) return false;
  // Debian starts a service of its own; tests run their own servers on free ports.
  spawnSync('sh', ['-c', 'service redis-server stop || true'], { stdio: 'ignore' });
  return has('redis-server');
}

function unpack(packages: readonly string[]): boolean {
  mkdirSync(TOOLS, { recursive: true });
  if (spawnSync('apt-get', ['download', ...packages], { cwd: TOOLS, stdio: 'ignore' }).status !== 0) return false;
  for (const file of readdirSync(TOOLS).filter((name) => name.endsWith('.deb'))) {
    spawnSync('dpkg', ['-x', file, 'root'], { cwd: TOOLS, stdio: 'ignore' });
  }
  useUnpacked();
  return has('redis-server');
}

function useUnpacked(): void {
  const bin = join(TOOLS, 'root', 'usr', 'bin');
  if (!existsSync(bin)) return;
  const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  process.env.PATH = `${bin}:${process.env.PATH ?? ''}`;
  process.env.LD_LIBRARY_PATH = join(TOOLS, 'root', 'usr', 'lib', `${architecture}-linux-gnu`);
}
