/** The fleet that is drilled: its doors, and for a fleet of our own what stands behind them. */
import type { DatabaseHandle } from '@bookiji/db';
import type { BookingDesk, IngressClient, Role, SandboxClient } from '@bookiji/local-fleet';
import type { Environment } from '@bookiji/runtime';
import type { OpsClient } from './ops-client.ts';
import type { OwnedServer } from './owned-server.ts';
import type { PrivateWords } from './private-words.ts';

/** What a drill cannot do without; a target that lacks it is not drilled this way. */
export type Need =
  /** Operators' routes and a token for them. */
  | 'ops'
  /** Calendars whose owner can be played. */
  | 'sandbox'
  /** Stores and processes that belong to the drill, so that they may be taken away. */
  | 'owned';

export interface Target {
  readonly kind: 'local' | 'remote';
  /** For the evidence: addresses without credentials. */
  readonly description: string;
  readonly ingress: IngressClient;
  readonly ops: OpsClient | null;
  readonly sandbox: SandboxClient | null;
  readonly owned: OwnedFleet | null;
  readonly privateWords: PrivateWords;
  /** Which commits its processes say they run; null where nobody can be asked. */
  readCommits(): Promise<readonly string[] | null>;
  /** A provider nobody else uses, on the allowlist where there is one. */
  nextProviderId(): string;
  stop(): Promise<void>;
}

export interface LogLine {
  readonly role: string;
  readonly line: string;
}

export interface OwnedFleet {
  readonly environment: Environment;
  readonly urls: Readonly<Record<Role, string>>;
  /** Every line that a process wrote since the start. */
  readonly lines: readonly LogLine[];
  readonly database: DatabaseHandle;
  /** The booking service's queue. */
  readonly desk: BookingDesk;
  readonly databaseServer: OwnedServer;
  /** Null while the queues live in PostgreSQL. */
  readonly redisServer: OwnedServer | null;
  pid(role: Role): number | undefined;
  signal(role: Role, signal: NodeJS.Signals): void;
  /** Resolves when every process can do its work. */
  ready(): Promise<void>;
  /** More processes on the same stores, with other settings; not restarted by anybody. */
  startBeside(role: 'ingress' | 'ops', over: Environment): Promise<Beside>;
  /** An empty database on the same server. */
  createDatabase(): Promise<{ readonly url: string; drop(): Promise<void> }>;
}

export interface Beside {
  readonly url: string;
  stop(): Promise<void>;
}

export function has(target: Target, need: Need): boolean {
  return target[need] !== null;
}
