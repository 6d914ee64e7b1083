import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { untilAccepting } from './until-accepting.ts';

/** One redis-server process, of which several make a whole: it can die and come back at its place, empty. */
export interface RedisNode {
  readonly port: number;
  /** A client for questions about it; made anew when its line has ended. */
  readonly client: () => Redis;
  start(...args: readonly string[]): Promise<void>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  kill(): Promise<void>;
}

export function createRedisNode(port: number, dir: string): RedisNode {
  let server: ChildProcess | null = null;
  let client: Redis | null = null;
  const end = () => void server?.kill('SIGKILL');
  return {
    port,
    client() {
      // A server that changes its role hangs up on everybody.
      if (client !== null && client.status !== 'end') return client;
      client = new Redis({ port, host: '127.0.0.1', commandTimeout: 5_000, retryStrategy: () => null });
      return client.on('error', () => undefined);
    },
    async start(...args) {
      const started = spawn('redis-server', [...args, '--port', String(port), '--bind', '127.0.0.1', '--dir', dir], {
        stdio: 'ignore',
      });
      server = started;
      process.once('exit', end);
      await untilAccepting('redis-server', port, started);
    },
    signal: (name) => void server?.kill(name),
    async kill() {
      process.removeListener('exit', end);
      client?.disconnect();
      client = null;
      const dying = server;
      server = null;
      if (dying === null || dying.exitCode !== null || dying.signalCode !== null) return;
      const ended = new Promise<void>((resolve) => dying.once('exit', () => resolve()));
      dying.kill('SIGKILL');
      await ended;
    },
  };
}

/** Asks until it is so; a server that does not answer yet is one where it is not. */
export async function untilTrue(what: string, ask: () => Promise<boolean>, withinMs = 60_000): Promise<void> {
  const until = performance.now() + withinMs;
  while (!(await ask().catch(() => false))) {
    if (performance.now() > until) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await sleep(50);
  }
}
