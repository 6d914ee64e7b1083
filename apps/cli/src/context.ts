import { type DatabaseHandle, mayCreateSchemas, openDatabase } from '@bookiji/db';
import { openQueues, type QueueSystem } from '@bookiji/queues';
import { type Environment, loadSettings, pick } from '@bookiji/runtime';
import { startEmbeddedDatabase } from './embedded-database.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Output } from './output.ts';

/** What commands work with. Stores are opened on first use and closed when the command ends. */
export interface CommandContext {
  readonly output: Output;
  readonly environment: Environment;
  /** Who is acting, for the operator log. */
  readonly actor: string;
  readonly now: () => Date;
  /** The named database, or the embedded one of this checkout. */
  databaseUrl(): Promise<string>;
  withDatabase<T>(work: (handle: DatabaseHandle) => Promise<T>): Promise<T>;
  withQueues<T>(work: (queues: QueueSystem) => Promise<T>): Promise<T>;
  /** What the command ends with unless it throws. */
  exit(code: ExitCode): void;
}

export interface OwnedContext {
  readonly context: CommandContext;
  readonly exitCode: () => ExitCode;
  close(): Promise<void>;
}

export function createContext(output: Output, environment: Environment, now: () => Date): OwnedContext {
  let embedded: Promise<{ url: string; stop(): Promise<void> }> | null = null;
  let exitCode: ExitCode = EXIT.done;
  const databaseUrl = async () => {
    if (environment.DATABASE_URL) return loadSettings(pick('DATABASE_URL'), environment).DATABASE_URL;
    embedded ??= startEmbeddedDatabase();
    return (await embedded).url;
  };
  const withDatabase: CommandContext['withDatabase'] = async (work) => {
    const handle = openDatabase(await databaseUrl(), { applicationName: 'calsync', max: 2 });
    try {
      return await work(handle);
    } finally {
      await handle.close();
    }
  };
  // Commands take out of it what they need, so nothing in it may lean on `this`.
  const context: CommandContext = {
    output,
    environment,
    actor: `calsync:${environment.CALSYNC_ACTOR ?? environment.USER ?? 'operator'}`,
    now,
    databaseUrl,
    withDatabase,
    async withQueues(work) {
      const { REDIS_URL: url, QUEUE_PREFIX: prefix } = loadSettings(pick('REDIS_URL', 'QUEUE_PREFIX'), environment);
      const transport = url === undefined ? ('postgres' as const) : ('redis' as const);
      // A lost connection shows itself in what is asked of the queue.
      const isPrepared = url === undefined && !(await withDatabase(({ db }) => mayCreateSchemas(db)));
      const to = { kind: transport, url: url ?? (await databaseUrl()), prefix, isPrepared };
      const queues = openQueues(to, () => undefined);
      try {
        return await work(queues);
      } finally {
        await queues.close();
      }
    },
    exit(code) {
      exitCode = code;
    },
  };
  return { context, exitCode: () => exitCode, close: async () => (await embedded)?.stop() };
}
