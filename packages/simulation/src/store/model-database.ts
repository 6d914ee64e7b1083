import { copyTables, type Tables } from './tables.ts';

/** What a process sees when it loses the database: it cannot know whether its statement took effect. */
export class ConnectionLost extends Error {}

/** The only failure of this database; every other error is a defect. */
export const isDatabaseFailure = (error: unknown) => error instanceof ConnectionLost;
export const databaseCode = (error: unknown) => (isDatabaseFailure(error) ? 'CONNECTION_CLOSED' : null);

/** What the database does for us. */
export interface StoreRules {
  /** False: who shows an old fencing token is believed. */
  readonly isFenced: boolean;
  /** False: a read of a booking's event that the feed hints at is not asked for. */
  readonly heedsHints: boolean;
  /** False: an event under the key of an earlier generation is nobody's. */
  readonly remembersKeys: boolean;
}

/** What a statement sees: the rows, the database's clock, and its rules. */
export interface StatementContext {
  tables: Tables;
  readonly now: Date;
  readonly rules: StoreRules;
}

/** The one server that all processes share. */
export interface ModelServer {
  tables: Tables;
  now(): Date;
  readonly rules: StoreRules;
}

/** A process's way to the server; stands where the stories take a `Database`. */
export interface ModelDatabase {
  /** One statement: seen by nobody until it is done, and by everybody afterwards. */
  run<T>(statement: string, effect: (context: StatementContext) => T): Promise<T>;
  /** All or nothing. A transaction is one step of the schedule: its row locks let nobody else in between. */
  transaction<T>(body: (tx: ModelDatabase) => Promise<T>): Promise<T>;
}

/** Lets the scheduler decide when, and whether, a process's next step happens. */
export type Gate = <T>(label: string, step: () => T | Promise<T>) => Promise<T>;

export function openModelDatabase(server: ModelServer, gate: Gate): ModelDatabase {
  return {
    run: (statement, effect) => gate(statement, () => effect(contextOf(server))),
    transaction: (body) => gate('transaction', () => runTransaction(server, body)),
  };
}

async function runTransaction<T>(server: ModelServer, body: (tx: ModelDatabase) => Promise<T>): Promise<T> {
  const before = copyTables(server.tables);
  const tx: ModelDatabase = {
    run: async (_, effect) => effect(contextOf(server)),
    transaction: (inner) => inner(tx),
  };
  try {
    return await body(tx);
  } catch (error) {
    server.tables = before;
    throw error;
  }
}

function contextOf(server: ModelServer): StatementContext {
  return { tables: server.tables, now: server.now(), rules: server.rules };
}
