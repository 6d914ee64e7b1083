/** The inbound story told in this process, with the real adapters, so that its time can be taken without a queue. */
import { backoffFields, calendarFields, createCalendarOpener } from '@bookiji/fleet';
import { createMetrics } from '@bookiji/observability';
import { createProviderEdges } from '@bookiji/providers/adapters';
import { loadSettings, pick } from '@bookiji/runtime';
import { type SyncOutcome, syncConnection } from '@bookiji/sync';
import type { Cast } from './cast.ts';

export type Syncer = (connectionId: string) => Promise<Extract<SyncOutcome, { outcome: 'synced' }>>;

/** @throws Error when a sync does not end as `synced`. */
export function createSyncer({ environment, database }: Pick<Cast, 'environment' | 'database'>): Syncer {
  const settings = loadSettings(
    { ...calendarFields, ...backoffFields, ...pick('SYNC_WINDOW_PAST_DAYS', 'SYNC_WINDOW_FUTURE_DAYS') },
    environment,
  );
  const deps = {
    db: database.db,
    openCalendar: createCalendarOpener({
      edges: createProviderEdges(settings),
      db: database.db,
      keys: settings.TOKEN_ENCRYPTION_KEYS,
      metrics: createMetrics('bench'),
      timeoutMs: settings.PROVIDER_TIMEOUT_MS,
    }),
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
