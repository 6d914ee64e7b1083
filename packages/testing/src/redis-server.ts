import { spawn, spawnSync } from 'node:child_process';
import { findFreePort } from '@bookiji/runtime';
import { untilAccepting } from './until-accepting.ts';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * A private redis-server on a free port of the loopback interface, without persistence; null when none is installed.
 *
 * @param dir where it would write.
 */
export async function startRedis(port?: number, dir = '/tmp'): Promise<RedisServer | null> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return null;
  const at = port ?? (await findFreePort());
  const args = ['--port', String(at), '--save', '', '--bind', '127.0.0.1', '--loglevel', 'warning'];
  const server = spawn('redis-server', args, { stdio: 'ignore', cwd: dir });
  await untilAccepting('redis-server', at, server);
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
