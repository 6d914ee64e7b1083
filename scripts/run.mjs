#!/usr/bin/env node
/**
 * The entry of every root command, for any Node from 20 on and without a dependency: installs what is missing, puts the
 * pinned Node first on PATH, and runs the task with it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPrograms } from './programs.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BIN = join(ROOT, 'node_modules', '.bin');
const STAMP = join(ROOT, 'node_modules', '.bookiji-stamp');
const startedAt = performance.now();

const SOURCE = [
  '--conditions=@bookiji/source',
  '--disable-warning=ExperimentalWarning',
  '--import=./scripts/quick-imports.mjs',
];
const ROLES = ['ingress', 'inbound-worker', 'outbound-worker', 'retry-worker', 'ops', 'sandbox'];

/** Task → what the pinned Node runs. */
const TASKS = {
  start: (args, programs) =>
    programs === null ? [...SOURCE, 'scripts/start.ts', ...args] : [join(programs, 'start.mjs'), ...args],
  fleet: (args) => [...SOURCE, 'scripts/fleet.ts', ...args],
  process: ([role, ...args]) => [...SOURCE, 'scripts/process.ts', role, ...args],
  calsync: (args) => [...SOURCE, 'scripts/calsync.ts', ...args],
  test: (args) => [...SOURCE, 'scripts/test.ts', ...args],
  'test:scale': (args) => [...SOURCE, 'scripts/test-scale.ts', ...args],
  pictures: (args) => [...SOURCE, 'scripts/take-pictures.ts', ...args],
  chaos: (args) => [...SOURCE, 'scripts/chaos.ts', ...args],
  bench: (args) => [...SOURCE, 'scripts/bench.ts', ...args],
  sbom: (args) => [...SOURCE, 'scripts/sbom.ts', ...args],
  check: (args) => [...SOURCE, 'scripts/check.ts', ...args],
  format: () => [join(ROOT, 'node_modules', '@biomejs', 'biome', 'bin', 'biome'), 'check', '--write', '.'],
  build: (args) => [join(ROOT, 'node_modules', 'turbo', 'bin', 'turbo'), 'run', 'build', ...args],
};

/** What runs the product needs none of what builds and tests it: half of the packages, and of the first start. */
const PRODUCT_TASKS = ['start', 'fleet', 'process', 'calsync'];

/** What stays up until it is told to stop, and takes being told twice for once. */
const STAYING_UP = ['start', 'fleet', 'process'];

main(process.argv.slice(2));

function main([task, ...args]) {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) fail(`Node ${process.versions.node} is too old; any Node from 20 on will do`);
  if (!(task in TASKS)) fail(`unknown task "${task ?? ''}"; the tasks are ${Object.keys(TASKS).join(', ')}`);
  if (task === 'process' && !ROLES.includes(args[0]))
    fail(`unknown process "${args[0] ?? ''}"; they are ${ROLES.join(', ')}`);
  const env = cleanEnvironment();
  installIfNeeded(env, PRODUCT_TASKS.includes(task) ? 'product' : 'everything');
  const node = existsSync(join(BIN, 'node')) ? join(BIN, 'node') : process.execPath;
  const used = versionOf(node);
  // Of one version there is nothing to tell, and what a process says at its start is for whoever looks for a mistake.
  if (used !== process.versions.node) say(`Node ${process.versions.node} found, ${used} used`);
  const programs = task === 'start' ? findPrograms(ROOT) : null;
  const prepared =
    programs === null ? {} : { CALSYNC_PROGRAMS: programs, NODE_COMPILE_CACHE: join(programs, 'compiled') };
  runTask(node, TASKS[task](args, programs), { ...env, ...prepared }, STAYING_UP.includes(task));
}

/** npm's own settings must not leak into pnpm, turbo and the product; what names registries and proxies stays. */
function cleanEnvironment() {
  const kept = /^npm_config_(registry|cache|cafile|proxy|https_proxy|http_proxy|noproxy)$/i;
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || kept.test(name)),
  );
  mkdirSync(join(ROOT, '.bookiji'), { recursive: true });
  return {
    ...env,
    PATH: [BIN, env.PATH ?? ''].join(delimiter),
    TURBO_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
    npm_config_update_notifier: 'false',
    NODE_COMPILE_CACHE: join(ROOT, '.bookiji', 'compile-cache'),
  };
}

/** Installs when lock file, manifest or workspace changed since the last time. Never asks the network otherwise. */
function installIfNeeded(env, extent) {
  const held = existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : '';
  const everything = `${stamp()} everything`;
  const wanted = `${stamp()} ${extent}`;
  if (held === wanted || held === everything) return;
  const version = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).packageManager;
  say(`installing packages with ${version} …`);
  const install = spawnSync(
    'npx',
    [
      // npm is silent here by .npmrc; what is wrong with an installation has to be said all the same.
      ...['--yes', '--prefer-offline', '--loglevel=error', version],
      ...['install', '--frozen-lockfile', '--config.confirmModulesPurge=false'],
      ...(extent === 'product' ? ['--prod'] : []),
    ],
    // Chatter never goes to stdout: a command's own answer does.
    { cwd: ROOT, env: { ...env, CI: '1' }, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  if (install.status !== 0) {
    process.stderr.write(`${install.stdout ?? ''}${install.stderr ?? ''}`.split('\n').slice(-25).join('\n'));
    const isOffline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|network/i.test(`${install.stdout}${install.stderr}`);
    fail(
      isOffline
        ? 'packages are missing and the npm registry cannot be reached'
        : 'packages could not be installed (see above)',
    );
  }
  writeFileSync(STAMP, wanted);
  say('packages installed');
}

function stamp() {
  const hash = createHash('sha256');
  for (const name of ['pnpm-lock.yaml', 'package.json', 'pnpm-workspace.yaml'])
    hash.update(readFileSync(join(ROOT, name)));
  return hash.digest('hex');
}

function versionOf(node) {
  // Its package is named for it; asking costs a start of Node.
  const [, named] = /@(\d+\.\d+\.\d+)\//.exec(realpathSync(node)) ?? [];
  if (named !== undefined) return named;
  return spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout.trim();
}

function runTask(node, args, env, isStayingUp) {
  const child = spawn(node, args, { cwd: ROOT, env, stdio: 'inherit' });
  // A terminal sends Ctrl-C to the child as well, a supervisor to this process alone. SIGTERM does for both: a second
  // SIGINT would mean "at once".
  process.on('SIGINT', () => void (isStayingUp && child.kill('SIGTERM')));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 130)));
}

function say(line) {
  process.stderr.write(`[${((performance.now() - startedAt) / 1000).toFixed(1)} s] ${line}\n`);
}

function fail(line) {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}
