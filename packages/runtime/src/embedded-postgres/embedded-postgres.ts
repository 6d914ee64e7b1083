/**
 * A private PostgreSQL from the npm binaries: for development, demo and tests. It trusts everybody on the loopback
 * interface; production names its own server in `DATABASE_URL`.
 */
import { resolve } from 'node:path';
import { findFreePort } from '../find-free-port.ts';
import { prepareBinaries } from './prepare-binaries.ts';
import { answers, createDatabase, findRunning, launch, prepareCluster, stopServer, urlOf } from './run-server.ts';
import { reachableDir, serverUser } from './server-user.ts';

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

export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = serverUser();
  const home = user === null ? resolve(options.dataDir) : reachableDir(resolve(options.dataDir), user);
  const running = findRunning(home);
  if (running !== null && (await answers(running))) return adopt(running, options.database);
  const binaries = prepareBinaries(user);
  prepareCluster(binaries, home, user);
  const port = options.port ?? (await findFreePort());
  const server = await launch({ binaries, dataDir: home, port, user, isFast: options.fast === true });
  await createDatabase(port, options.database);
  return {
    url: urlOf(port, options.database),
    adopted: false,
    stop: () => stopServer(server),
  };
}

async function adopt(running: { port: number }, database: string): Promise<EmbeddedPostgres> {
  await createDatabase(running.port, database);
  return { url: urlOf(running.port, database), adopted: true, stop: async () => undefined };
}
