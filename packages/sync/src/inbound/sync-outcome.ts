/** How a sync of one connection ends. */
import type { Connection } from '@bookiji/db';
import type { ProviderError } from '@bookiji/providers/contract';

export interface SyncCounts {
  readonly mode: 'incremental' | 'full';
  readonly pages: number;
  readonly putCount: number;
  readonly droppedCount: number;
  readonly unreadableCount: number;
}

export interface Synced extends SyncCounts {
  readonly outcome: 'synced';
  readonly connection: Connection;
  /** Something was requested meanwhile. */
  readonly lookAgain: boolean;
  /** Notification accepted → committed, seconds; null when no notification asked for it. */
  readonly changeLagSeconds: number | null;
  /** Bookings whose event should be read: their owner seems to have touched it. */
  readonly suspectBookingIds: readonly string[];
}

export type SyncOutcome =
  | Synced
  | {
      readonly outcome: 'failed';
      readonly connection: Connection;
      /** Of the round that failed. */
      readonly mode: SyncCounts['mode'];
      readonly error: ProviderError;
      readonly parked: boolean;
    }
  /** No work, a wait that is not over, or another worker has it. */
  | { readonly outcome: 'nothing_due' }
  | { readonly outcome: 'lease_lost'; readonly connection: Connection }
  /** The process is stopping; the lease was given back. */
  | { readonly outcome: 'interrupted'; readonly connection: Connection };
