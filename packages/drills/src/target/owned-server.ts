/** Servers of the drill's own that can be taken away and come back at the same address. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { waitUntil } from '@bookiji/local-fleet';
import { findFreePort, startEmbeddedPostgres } from '@bookiji/runtime';

export interface OwnedServer {
  readonly url: string;
  /** Away until `restore`. */
  takeAway(): Promise<void>;
  restore(): Promise<void>;
  stop(): Promise<void>;
}

/** @param stateDir its data goes below; reachable for the server's user. */
export async function ownPostgres(stateDir: string): Promise<OwnedServer> {
  const port = await findFreePort();
  const start = () =>
    startEmbeddedPostgres({ dataDir: join(stateDir, 'postgres'), database: 'drill', fast: true, port });
  let running = await start();
  return {
    url: running.url,
    takeAway: () => running.stop(),
    async restore() {
      running = await start();
    },
    stop: () => running.stop(),
  };
}

/** A Redis without persistence: it comes back empty. Null where none is installed. */
export async function ownRedis(): Promise<OwnedServer | null> {
  if (!isInstalled('redis-server')) return null;
  const port = await findFreePort();
  let running = await launchRedis(port);
  const end = () => kill(running);
  return {
    url: `redis://127.0.0.1:${port}`,
    takeAway: end,
    async restore() {
      running = await launchRedis(port);
    },
    stop: end,
  };
}

async function launchRedis(port: number): Promise<ChildProcess> {
  const server = ['redis-server', '--port', String(port), '--save', '', '--bind', '127.0.0.1', '--loglevel', 'warning'];
  // It ends with this process, however that ends.
  const [command = '', ...args] = isInstalled('setpriv') ? ['setpriv', '--pdeathsig', 'KILL', ...server] : server;
  const child = spawn(command, args, { stdio: 'ignore', cwd: '/' });
  await waitUntil('redis-server to answer', () => accepts(port), 10_000);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await ended;
}

function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
