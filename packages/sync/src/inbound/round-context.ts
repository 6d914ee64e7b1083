/** What the steps of one inbound sync share. */
import type { Connection, Database, StoredCredentials, SyncClaim } from '@bookiji/db';
import type { CalendarPort } from '@bookiji/providers/contract';
import type { BackoffSettings } from '../failures/settle-failure.ts';
import type { LeaseKeeper } from '../lease-keeper.ts';
import type { Round, WindowSettings } from './plan-round.ts';

export interface SyncDependencies {
  readonly db: Database;
  /** The calendar of a connection, with all policies around it. */
  readonly openCalendar: (connection: Connection, credentials?: StoredCredentials) => CalendarPort;
  /** This process, as it stands in leases. */
  readonly owner: string;
  readonly window: WindowSettings;
  readonly backoff: BackoffSettings;
  readonly reconcileSeconds: number;
  readonly leaseMs: number;
  readonly random: () => number;
}

/** One round: what was claimed, through which port it is read, and the lease that allows it. */
export interface RoundContext {
  readonly deps: SyncDependencies;
  readonly claim: SyncClaim;
  readonly port: CalendarPort;
  readonly round: Round;
  readonly keeper: LeaseKeeper;
}
