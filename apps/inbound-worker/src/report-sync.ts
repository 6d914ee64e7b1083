import { type Logger, type Metrics, noteOnSpan } from '@bookiji/observability';
import { CALENDAR_PROVIDERS, ERROR_KINDS } from '@bookiji/providers/contract';
import type { InboundSyncResult } from './process-inbound-sync.ts';

/** One wide line and the counters, once per job. */
export function createSyncReporter(logger: Logger, metrics: Metrics) {
  // A series that begins with its first failures has no increase, and a burst of a kind seen for the first time no alert.
  for (const calendar_provider of CALENDAR_PROVIDERS) {
    for (const kind of ERROR_KINDS) metrics.syncFailures.inc({ calendar_provider, kind }, 0);
  }
  return (connectionId: string, result: InboundSyncResult, durationMs: number): void => {
    const base = { connection_id: connectionId, outcome: result.outcome, duration_ms: Math.round(durationMs) };
    switch (result.outcome) {
      case 'synced': {
        const { connection, mode, pages, putCount, droppedCount, unreadableCount, changeLagSeconds, lookAgain } =
          result;
        const calendar_provider = connection.calendarProvider;
        metrics.syncRuns.inc({ calendar_provider, mode });
        metrics.syncItems.inc({ calendar_provider }, putCount + droppedCount);
        metrics.syncLatency.observe({ calendar_provider }, durationMs);
        if (unreadableCount > 0) metrics.unreadableItems.inc({ calendar_provider }, unreadableCount);
        if (changeLagSeconds !== null) metrics.changeLag.observe({ calendar_provider }, changeLagSeconds);
        noteOnSpan('changes committed', { calendar_provider, mode, put_count: putCount, dropped_count: droppedCount });
        logger.info(
          {
            ...base,
            calendar_provider,
            provider_id: connection.providerId,
            requested_by: connection.requestedBy,
            mode,
            pages,
            put_count: putCount,
            dropped_count: droppedCount,
            unreadable_count: unreadableCount,
            change_lag_seconds: changeLagSeconds,
            look_again: lookAgain,
          },
          'sync done',
        );
        return;
      }
      case 'failed': {
        const { connection, mode, error, parked } = result;
        const calendar_provider = connection.calendarProvider;
        metrics.syncRuns.inc({ calendar_provider, mode });
        metrics.syncFailures.inc({ calendar_provider, kind: error.kind });
        metrics.syncLatency.observe({ calendar_provider }, durationMs);
        logger.warn(
          { ...base, calendar_provider, provider_id: connection.providerId, mode, parked, err: error },
          'sync failed',
        );
        return;
      }
      case 'lease_lost':
        logger.warn(base, 'sync lost its lease');
        return;
      default:
        logger.debug(base, 'sync not done');
    }
  };
}
