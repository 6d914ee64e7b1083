/** The inbound story told in this process, with the real adapters, so that its time can be taken without a queue. */
import { findConnection } from '@bookiji/db';
import { backoffFields, calendarFields, openCalendarsBy } from '@bookiji/fleet';
import { createMetrics } from '@bookiji/observability';
import { createProviderEdges } from '@bookiji/providers/adapters';
import { loadSettings, pick } from '@bookiji/runtime';
import { planRound, type SyncOutcome, syncConnection } from '@bookiji/sync';
import type { Cast } from './cast.ts';

export type Syncer = (connectionId: string) => Promise<Extract<SyncOutcome, { outcome: 'synced' }>>;

/** The same pages by the same client, understood and let go: how many events they hold. */
export function createReader({ environment, database }: Pick<Cast, 'environment' | 'database'>) {
  const { settings, openCalendar } = openProvider(environment, database);
  const window = { pastDays: settings.SYNC_WINDOW_PAST_DAYS, futureDays: settings.SYNC_WINDOW_FUTURE_DAYS };
  return async (connectionId: string): Promise<number> => {
    const connection = await findConnection(database.db, connectionId);
    if (connection === null) throw new Error('there is no such connection');
    const port = openCalendar(connection);
    const round = planRound({ cursor: null, windowStart: null, windowEnd: null }, window, new Date());
    let count = 0;
    let next: string | null = null;
    do {
      const page = await port.listChanges(
        { cursor: null, page: next, window: round.window },
        new AbortController().signal,
      );
      count += page.changes.length;
      next = page.nextPage;
    } while (next !== null);
    return count;
  };
}

/** @throws Error when a sync does not end as `synced`. */
export function createSyncer({ environment, database }: Pick<Cast, 'environment' | 'database'>): Syncer {
  const { settings, openCalendar } = openProvider(environment, database);
  const deps = {
    db: database.db,
    openCalendar,
    owner: 'bench',
    window: { pastDays: settings.SYNC_WINDOW_PAST_DAYS, futureDays: settings.SYNC_WINDOW_FUTURE_DAYS },
    backoff: { baseSeconds: settings.BACKOFF_BASE_SECONDS, maxSeconds: settings.BACKOFF_MAX_SECONDS },
    reconcileSeconds: 3_600,
    leaseMs: 60_000,
    random: Math.random,
  };
  return async (connectionId) => {
    const result = await syncConnection(deps, connectionId, new AbortController().signal);
    if (result.outcome !== 'synced') throw new Error(`the sync ended as ${result.outcome}`);
    return result;
  };
}

function openProvider(environment: Cast['environment'], database: Cast['database']) {
  const settings = loadSettings(
    { ...calendarFields, ...backoffFields, ...pick('SYNC_WINDOW_PAST_DAYS', 'SYNC_WINDOW_FUTURE_DAYS') },
    environment,
  );
  const openCalendar = openCalendarsBy(
    settings,
    { database, metrics: createMetrics('bench') },
    createProviderEdges(settings),
  );
  return { settings, openCalendar };
}
