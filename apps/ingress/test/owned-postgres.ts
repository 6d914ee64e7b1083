/** A PostgreSQL of the test's own, durable as in production, that can be killed, frozen and brought back. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '@bookiji/db';
import { findFreePort, startEmbeddedPostgres } from '@bookiji/runtime';
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
  const dir = mkdtempSync(join(tmpdir(), 'calsync-owned-'));
  // Root hands the server to another user, who must be able to go in; else its data would lie elsewhere.
  chmodSync(dir, 0o755);
  const options = { dataDir: join(dir, 'postgres'), database: 'owned', port: await findFreePort() };
  let server = await startEmbeddedPostgres(options);
  await prepareTestDatabase(server.url);
  const handle = openDatabase(server.url, { applicationName: 'test', max: 10 });
  const signal = (name: NodeJS.Signals) => {
    const main = Number(readFileSync(join(options.dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
    for (const pid of [main, ...childrenOf(main)]) process.kill(pid, name);
  };
  return {
    database: { ...handle, url: server.url, drop: () => handle.close() },
    kill: () => signal('SIGKILL'),
    restart: async () => {
      server = await startEmbeddedPostgres(options);
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
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
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(parent);
      } catch {
        return false;
      }
    })
    .map(Number);
}
