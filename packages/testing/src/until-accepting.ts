import type { ChildProcess } from 'node:child_process';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when the server takes connections on the loopback interface; throws when it ends or takes ten seconds. */
export async function untilAccepting(name: string, port: number, server: ChildProcess): Promise<void> {
  for (let tries = 0; !(await accepts(port)); tries += 1) {
    if (tries > 500 || server.exitCode !== null) throw new Error(`${name} did not start`);
    await sleep(20);
  }
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
