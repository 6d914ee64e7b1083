/** Gauges that only the database can tell: what is pending, for how long, and in which state things are. */
import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { hasWork } from './effect-leases.ts';

export interface FleetState {
  /** Of connections in use: what waits for an owner to connect again is nothing that workers could do. */
  readonly pending: readonly {
    readonly kind: 'inbound' | 'outbound';
    readonly count: number;
    readonly oldestSeconds: number;
  }[];
  readonly deadLetters: readonly { readonly kind: string; readonly count: number }[];
  readonly channels: readonly { readonly calendarProvider: string; readonly state: string; readonly count: number }[];
}

export async function readFleetState(db: Database): Promise<FleetState> {
  const [pending, deadLetters, channels] = await Promise.all([
    db.execute<{ kind: 'inbound' | 'outbound'; count: number; oldest: number }>(sql`
      SELECT 'inbound' AS kind, count(*)::int AS count,
             coalesce(extract(epoch FROM now() - min(coalesce(notified_at, updated_at))), 0)::float8 AS oldest
        FROM external_calendar_connections WHERE sync_needed AND status = 'active' AND sync_enabled
      UNION ALL
      SELECT 'outbound', count(*)::int, coalesce(extract(epoch FROM now() - min(e.received_at)), 0)::float8
        FROM booking_effects e JOIN external_calendar_connections c ON c.id = e.connection_id
       WHERE ${hasWork} AND e.dead_at IS NULL AND c.status = 'active' AND c.sync_enabled`),
    db.execute<{ kind: string; count: number }>(sql`
      SELECT kind, count(*)::int AS count FROM dead_letters WHERE replayed_at IS NULL GROUP BY kind`),
    db.execute<{ calendar_provider: string; state: string; count: number }>(sql`
      SELECT calendar_provider, state, count(*)::int AS count FROM channels GROUP BY calendar_provider, state`),
  ]);
  return {
    pending: pending.map(({ kind, count, oldest }) => ({ kind, count, oldestSeconds: oldest })),
    deadLetters: [...deadLetters],
    channels: channels.map(({ calendar_provider, state, count }) => ({
      calendarProvider: calendar_provider,
      state,
      count,
    })),
  };
}
