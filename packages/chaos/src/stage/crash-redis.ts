/** A Redis of this run's own, without persistence: it can be killed, frozen and emptied. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '@bookiji/runtime';

export interface CrashRedis {
  readonly url: string;
  /** SIGKILL: every key is gone. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Every key is gone while all connections live on; how many there were. */
  flush(): Promise<number>;
  stop(): Promise<void>;
}

export async function startCrashRedis(): Promise<CrashRedis> {
  const port = await findFreePort();
  let server: ChildProcess | null = null;
  const end = () => server?.kill('SIGKILL');
  process.once('exit', end);

  const start = async () => {
    const args = ['--port', String(port), '--save', '', '--bind', '127.0.0.1', '--loglevel', 'warning'];
    server = spawn('redis-server', args, { stdio: 'ignore', cwd: '/tmp' });
    for (let tries = 0; (await ask(port, 'PING').catch(() => null)) !== '+PONG'; tries += 1) {
      if (tries > 500 || server.exitCode !== null) throw new Error('redis-server did not start');
      await sleep(20);
    }
  };
  const kill = async () => {
    const dying = server;
    if (dying === null || dying.exitCode !== null || dying.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => dying.once('exit', () => resolve()));
    dying.kill('SIGKILL');
    await ended;
  };

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
    async flush() {
      const size = await ask(port, 'DBSIZE');
      await ask(port, 'FLUSHALL');
      return Number(size.slice(1));
    },
    async stop() {
      process.removeListener('exit', end);
      await kill();
    },
  };
}

/** One inline command on a connection of its own; the first line of the answer. */
function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => socket.write(`${command}\r\n`));
    socket.setTimeout(10_000, () => socket.destroy(new Error('redis does not answer')));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString().split('\r\n')[0] ?? '');
    });
    socket.once('error', reject);
  });
}
