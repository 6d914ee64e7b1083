/** Gauges that only the database can tell: what is pending, for how long, and in which state things are. */
import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import type { CalendarProvider } from '../schema/calendar-provider.ts';
import { type Allowlists, isAllowed } from './allowlists.ts';
import { hasWork } from './effect-leases.ts';

export type WorkKind = 'inbound' | 'outbound';

/** What operators let be worked on. */
export interface WorkGates {
  readonly allow: Allowlists;
  /** Kinds of which nothing is done at all. */
  readonly off: readonly WorkKind[];
}

export interface FleetState {
  /** Of connections in use: what waits for an owner to connect again is nothing that workers could do. */
  readonly pending: readonly {
    readonly kind: WorkKind;
    readonly count: number;
    readonly oldestSeconds: number;
    /** Not among `count`: work that waits because somebody stopped it, or lets others go first. */
    readonly parkedCount: number;
  }[];
  readonly deadLetters: readonly { readonly kind: string; readonly count: number }[];
  readonly channels: readonly { readonly calendarProvider: string; readonly state: string; readonly count: number }[];
  /** Connections in use whose calendar shows something that may block and cannot be read. */
  readonly doubtful: readonly { readonly calendarProvider: CalendarProvider; readonly count: number }[];
}

const ALL_OPEN: WorkGates = { allow: { providerIds: null, connectionIds: null }, off: [] };

export async function readFleetState(db: Database, gates: WorkGates = ALL_OPEN): Promise<FleetState> {
  const mayWork = (kind: WorkKind) => (gates.off.includes(kind) ? sql`false` : isAllowed(gates.allow, 'c'));
  const [pending, deadLetters, channels, doubtful] = await Promise.all([
    db.execute<{ kind: WorkKind; count: number; oldest: number; parked: number }>(sql`
      SELECT kind, count(*) FILTER (WHERE may_work)::int AS count, count(*) FILTER (WHERE NOT may_work)::int AS parked,
             coalesce(extract(epoch FROM now() - min(since) FILTER (WHERE may_work)), 0)::float8 AS oldest
        FROM (SELECT 'inbound' AS kind, ${mayWork('inbound')} AS may_work, c.due_since AS since
                FROM external_calendar_connections c WHERE c.sync_needed AND c.status = 'active' AND c.sync_enabled
              UNION ALL
              SELECT 'outbound', ${mayWork('outbound')},
                     CASE WHEN e.applied_version < e.version THEN e.received_at ELSE coalesce(e.inspect_since, e.received_at) END
                FROM booking_effects e JOIN external_calendar_connections c ON c.id = e.connection_id
               WHERE ${hasWork} AND e.dead_at IS NULL AND c.status = 'active' AND c.sync_enabled) work
       GROUP BY kind`),
    db.execute<{ kind: string; count: number }>(sql`
      SELECT kind, count(*)::int AS count FROM dead_letters WHERE replayed_at IS NULL GROUP BY kind`),
    db.execute<{ calendar_provider: string; state: string; count: number }>(sql`
      SELECT calendar_provider, state, count(*)::int AS count FROM channels GROUP BY calendar_provider, state`),
    db.execute<{ calendar_provider: CalendarProvider; count: number }>(sql`
      SELECT c.calendar_provider, count(DISTINCT c.id)::int AS count
        FROM unreadable_items u JOIN external_calendar_connections c ON c.id = u.connection_id
       WHERE c.status = 'active' AND c.sync_enabled GROUP BY c.calendar_provider`),
  ]);
  return {
    pending: (['inbound', 'outbound'] as const).map((kind) => {
      const { count = 0, oldest = 0, parked = 0 } = pending.find((one) => one.kind === kind) ?? {};
      return { kind, count, oldestSeconds: oldest, parkedCount: parked };
    }),
    deadLetters: [...deadLetters],
    channels: channels.map(({ calendar_provider, state, count }) => ({
      calendarProvider: calendar_provider,
      state,
      count,
    })),
    doubtful: (['google', 'microsoft'] as const).map((calendarProvider) => {
      const { count = 0 } = doubtful.find((one) => one.calendar_provider === calendarProvider) ?? {};
      return { calendarProvider, count };
    }),
  };
}
