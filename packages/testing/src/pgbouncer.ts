import { spawn, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePort, makeReachableDir } from '@bookiji/runtime';
import { untilAccepting } from './until-accepting.ts';

export interface PgBouncer {
  /** The same database through the pooler, under the same user. */
  through(databaseUrl: string): string;
  stop(): Promise<void>;
}

export interface PgBouncerOptions {
  /** Connections to the server per user and database: fewer than clients, so that they really are shared. */
  readonly poolSize?: number;
  /** Said on every connection to the server before it is lent out; what docs/operating.md asks for. */
  readonly connectQuery?: string;
  /** Parameters of clients that are taken and forgotten. */
  readonly ignored?: string;
}

const SESSION_LIMITS = 'SET statement_timeout = 15000; SET idle_in_transaction_session_timeout = 5000';
const IGNORED = 'statement_timeout,idle_in_transaction_session_timeout,options,extra_float_digits';
const USERS = ['app', 'calsync_ingress', 'calsync_worker', 'calsync_ops', 'calsync_cli'];

export function hasPgBouncer(): boolean {
  return spawnSync('pgbouncer', ['--version']).status === 0;
}

/** Debian's own program, in transaction mode, in front of the server of `databaseUrl`. */
export async function startPgBouncer(databaseUrl: string, options: PgBouncerOptions = {}): Promise<PgBouncer> {
  // It gives up root's rights and reads its files again afterwards.
  const dir = makeReachableDir('calsync-pgbouncer-');
  const port = await findFreePort();
  writeFileSync(join(dir, 'users.txt'), USERS.map((user) => `"${user}" ""\n`).join(''));
  writeFileSync(join(dir, 'pgbouncer.ini'), configuration(dir, port, new URL(databaseUrl), options));
  const rights = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn('pgbouncer', ['-q', ...rights, join(dir, 'pgbouncer.ini')], { stdio: 'ignore', cwd: '/' });
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  await untilAccepting('pgbouncer', port, child);
  return {
    through(url) {
      const pooled = new URL(url);
      pooled.port = String(port);
      return pooled.href;
    },
    async stop() {
      process.removeListener('exit', end);
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        end();
        await ended;
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function configuration(
  dir: string,
  port: number,
  server: URL,
  { poolSize = 8, connectQuery = SESSION_LIMITS, ignored = IGNORED }: PgBouncerOptions,
): string {
  const query = connectQuery === '' ? '' : ` connect_query='${connectQuery}'`;
  return `[databases]
* = host=${server.hostname} port=${server.port}${query}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(dir, 'users.txt')}
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 500
server_login_retry = 1
ignore_startup_parameters = ${ignored}
`;
}
