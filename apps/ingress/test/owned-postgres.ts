/** A PostgreSQL of the test's own, durable as in production, that can be killed, frozen and brought back. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '@bookiji/db';
import { findFreePort, makeReachableDir, startEmbeddedPostgres } from '@bookiji/runtime';
import { prepareTestDatabase, type TestDatabase } from '@bookiji/testing';

export interface OwnedPostgres {
  readonly database: TestDatabase;
  /** As if the machine lost it: no shutdown, nothing written that was not. */
  kill(): void;
  restart(): Promise<void>;
  /** It holds every connection and answers nothing. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export async function ownPostgres(): Promise<OwnedPostgres> {
  const dir = makeReachableDir('calsync-owned-');
  const options = { dataDir: join(dir, 'postgres'), database: 'owned', port: await findFreePort() };
  let server = await startEmbeddedPostgres(options);
  await prepareTestDatabase(server.url);
  const handle = openDatabase(server.url, { applicationName: 'test', max: 10 });
  const signal = (name: NodeJS.Signals) => {
    const main = Number(readFileSync(join(options.dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
    const pids = [main, ...childrenOf(main)];
    for (const pid of pids) process.kill(pid, name);
    return pids;
  };
  let dying: readonly number[] = [];
  return {
    database: { ...handle, url: server.url, drop: () => handle.close() },
    kill: () => {
      dying = signal('SIGKILL');
    },
    restart: async () => {
      // As long as one of them is there, so is the memory that they share, and no other server starts on this data.
      while (dying.some(isThere)) await sleep(10);
      server = await startEmbeddedPostgres(options);
    },
    freeze: () => void signal('SIGSTOP'),
    thaw: () => void signal('SIGCONT'),
    async stop() {
      await handle.close();
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readState(pid)?.parent === parent);
}

/** Nothing is left of one that nobody has reaped but its number. */
function isThere(pid: number): boolean {
  const state = readState(pid);
  return state !== null && state.letter !== 'Z';
}

function readState(pid: number): { readonly letter: string; readonly parent: number } | null {
  try {
    const [letter = '', parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return { letter, parent: Number(parent) };
  } catch {
    return null;
  }
}
