import { spawn, spawnSync } from 'node:child_process';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '@bookiji/runtime';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** A private redis-server on a free port of the loopback interface, without persistence; null when none is installed. */
export async function startRedis(port?: number): Promise<RedisServer | null> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return null;
  const at = port ?? (await findFreePort());
  const args = ['--port', String(at), '--save', '', '--bind', '127.0.0.1', '--loglevel', 'warning'];
  const server = spawn('redis-server', args, { stdio: 'ignore', cwd: '/tmp' });
  for (let tries = 0; !(await accepts(at)); tries += 1) {
    if (tries > 200 || server.exitCode !== null) throw new Error('redis-server did not start');
    await sleep(20);
  }
  return {
    url: `redis://127.0.0.1:${at}`,
    port: at,
    pid: server.pid ?? 0,
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
      server.kill('SIGKILL');
      await ended;
    },
  };
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
