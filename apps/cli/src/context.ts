import { type DatabaseHandle, openDatabase } from '@bookiji/db';
import type { Output } from './output.ts';

/** Something the operator can put right: shown as one line, exit code 1. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
  }
}

/** What commands work with. The database is opened on first use and closed when the command ends. */
export interface CommandContext {
  readonly output: Output;
  readonly databaseUrl: string;
  /** Who is acting, for the audit log. */
  readonly actor: string;
  withDatabase<T>(work: (handle: DatabaseHandle) => Promise<T>): Promise<T>;
}

export function createContext(output: Output, databaseUrl: string, actor: string): CommandContext {
  return {
    output,
    databaseUrl,
    actor,
    async withDatabase(work) {
      const handle = openDatabase(databaseUrl, { applicationName: 'calsync', max: 2 });
      try {
        return await work(handle);
      } finally {
        await handle.close();
      }
    },
  };
}

/** An id from the command line. Throws `CommandError` naming the argument. */
export function parseUuid(name: string, value: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value))
    throw new CommandError(`${name} must be a UUID, not "${value}"`);
  return value.toLowerCase();
}
