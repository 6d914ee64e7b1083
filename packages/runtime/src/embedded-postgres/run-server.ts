/** The server's process: set up, started, waited for, found again, stopped. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, chownSync, constants, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { serverEnvironment } from './prepare-binaries.ts';
import { type ServerUser, spawnAs } from './server-user.ts';

const USER = 'app';
const READY_WITHIN_MS = 20_000;

export function prepareCluster(binaries: string, dataDir: string, user: ServerUser | null): void {
  if (existsSync(join(dataDir, 'PG_VERSION'))) return;
  mkdirSync(dirname(dataDir), { recursive: true });
  mkdirSync(dataDir, { mode: 0o700 });
  if (user !== null) chownSync(dataDir, user.uid, user.gid);
  const args = ['-D', dataDir, '-U', USER, '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C.UTF-8'];
  try {
    execFileSync(join(binaries, 'bin', 'initdb'), args, {
      ...spawnAs(user),
      env: serverEnvironment(binaries),
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

export interface Launch {
  /** Holds `bin/` and `lib/`. */
  readonly binaries: string;
  readonly dataDir: string;
  readonly port: number;
  /** Null for ordinary users, who run it themselves. */
  readonly user: ServerUser | null;
  readonly isFast: boolean;
}

/** Resolves when the server answers. @throws Error that names its log. */
export async function launch({ binaries, dataDir, port, user, isFast }: Launch): Promise<ChildProcess> {
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
    env: serverEnvironment(binaries),
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

export async function answers(server: { port: number }): Promise<boolean> {
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
export function findRunning(dataDir: string): { pid: number; port: number } | null {
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

export async function createDatabase(port: number, name: string): Promise<void> {
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

export function urlOf(port: number, database: string): string {
  return `postgres://${USER}@127.0.0.1:${port}/${database}`;
}

export async function stopServer(server: ChildProcess, signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise<void>((done) => server.once('exit', () => done()));
  server.ref();
  // Fast shutdown: open transactions are rolled back, everything committed is on disk.
  server.kill(signal);
  await ended;
}
