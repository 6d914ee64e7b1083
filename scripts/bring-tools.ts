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
  if (process.getuid?.() === 0) {
    install(['redis-server']);
    // Debian starts a service of its own; tests run their own servers on free ports.
    spawnSync('sh', ['-c', 'service redis-server stop || true'], { stdio: 'ignore' });
    return has('redis-server');
  }
  unpack(['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1']);
  return has('redis-server');
}

/** The pooler in front of PostgreSQL. Unpacked even for root: installed, it would start a service. */
export function bringPgBouncer(): boolean {
  useUnpacked();
  if (has('pgbouncer') || !has('apt-get')) return has('pgbouncer');
  process.stderr.write('bringing pgbouncer …\n');
  const packages = ['pgbouncer', 'libc-ares2', 'libevent-2.1-7'];
  if (!unpack(packages) && spawnSync('apt-get', ['update'], { stdio: 'ignore' }).status === 0) unpack(packages);
  return has('pgbouncer');
}

/** The load generator of the benchmarks. */
export function bringWrk(): boolean {
  useUnpacked();
  if (has('wrk') || !has('apt-get')) return has('wrk');
  process.stderr.write('bringing wrk …\n');
  if (process.getuid?.() === 0) install(['wrk']);
  else unpack(['wrk', 'libluajit-5.1-2', 'libluajit-5.1-common']);
  return has('wrk');
}

/** The browser that pages are tested in. Only root can install it: it is many packages. */
export function bringChromium(): boolean {
  if (has('chromium') || !has('apt-get') || process.getuid?.() !== 0) return has('chromium');
  process.stderr.write('bringing chromium …\n');
  install(['chromium', 'fonts-liberation']);
  return has('chromium');
}

export interface PrometheusTools {
  readonly prometheus: string;
  readonly promtool: string;
  readonly amtool: string;
}

/**
 * Prometheus, and what checks its rules and their routes; null when it could not be had. Unpacked even for root: installed, the two
 * packages would start services.
 */
export function bringPrometheusTools(): PrometheusTools | null {
  const found = findPrometheusTools();
  if (found !== null || !has('apt-get')) return found;
  process.stderr.write('bringing prometheus, promtool and amtool …\n');
  const packages = ['prometheus', 'prometheus-alertmanager'];
  // A fresh machine has no package lists; only root may fetch them.
  if (!unpack(packages) && spawnSync('apt-get', ['update'], { stdio: 'ignore' }).status === 0) unpack(packages);
  return findPrometheusTools();
}

function findPrometheusTools(): PrometheusTools | null {
  const find = (name: string) => {
    const unpacked = join(TOOLS, 'root', 'usr', 'bin', name);
    return has(name) ? name : existsSync(unpacked) ? unpacked : null;
  };
  const [prometheus, promtool, amtool] = [find('prometheus'), find('promtool'), find('amtool')];
  return prometheus === null || promtool === null || amtool === null ? null : { prometheus, promtool, amtool };
}

function install(packages: readonly string[]): boolean {
  const apt = (...args: string[]) =>
    spawnSync('apt-get', args, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
      .status === 0;
  const args = ['install', '-y', '--no-install-recommends', ...packages];
  return apt(...args) || (apt('update') && apt(...args));
}

/** False when the packages could not be downloaded. */
function unpack(packages: readonly string[]): boolean {
  mkdirSync(TOOLS, { recursive: true });
  if (spawnSync('apt-get', ['download', ...packages], { cwd: TOOLS, stdio: 'ignore' }).status !== 0) return false;
  for (const file of readdirSync(TOOLS).filter((name) => name.endsWith('.deb'))) {
    spawnSync('dpkg', ['-x', file, 'root'], { cwd: TOOLS, stdio: 'ignore' });
  }
  useUnpacked();
  return true;
}

function useUnpacked(): void {
  const usr = join(TOOLS, 'root', 'usr');
  if (!existsSync(usr)) return;
  const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const found = new Set([join(usr, 'bin'), join(usr, 'sbin'), ...(process.env.PATH ?? '').split(':')]);
  process.env.PATH = [...found].join(':');
  process.env.LD_LIBRARY_PATH = join(TOOLS, 'root', 'usr', 'lib', `${architecture}-linux-gnu`);
}
