import { type Logger, type Metrics, noteOnSpan } from '@bookiji/observability';
import type { OutboundSyncResult } from './process-outbound-sync.ts';

/** One wide line and the counters, once per job. */
export function createConvergeReporter(logger: Logger, metrics: Metrics) {
  return (job: { bookingId: string; connectionId: string }, result: OutboundSyncResult, durationMs: number): void => {
    const base = {
      booking_id: job.bookingId,
      connection_id: job.connectionId,
      outcome: result.outcome,
      duration_ms: Math.round(durationMs),
    };
    switch (result.outcome) {
      case 'converged': {
        const { claim, action, bookingLagSeconds, externalChange, workAgain } = result;
        const calendar_provider = claim.calendarProvider;
        metrics.effects.inc({ calendar_provider, outcome: action });
        noteOnSpan('booking committed', { calendar_provider, action });
        if (action !== 'inspected') metrics.bookingLag.observe({ calendar_provider }, bookingLagSeconds);
        logger.info(
          {
            ...base,
            action,
            calendar_provider,
            provider_id: claim.providerId,
            booking_version: claim.desired.version,
            generation: claim.effect.generation,
            booking_lag_seconds: action === 'inspected' ? null : bookingLagSeconds,
            external_change: externalChange?.kind ?? null,
            work_again: workAgain,
          },
          'booking converged',
        );
        return;
      }
      case 'failed': {
        const { claim, error, isDead } = result;
        metrics.effects.inc({ calendar_provider: claim.calendarProvider, outcome: 'failed' });
        logger.warn(
          {
            ...base,
            calendar_provider: claim.calendarProvider,
            provider_id: claim.providerId,
            booking_version: claim.desired.version,
            dead: isDead,
            err: error,
          },
          'booking not written',
        );
        return;
      }
      case 'shadowed':
        logger.info(
          {
            ...base,
            action: result.action,
            calendar_provider: result.calendarProvider,
            booking_version: result.version,
          },
          'booking would be written',
        );
        return;
      case 'lease_lost':
        logger.warn(base, 'booking left to a newer writer');
        return;
      default:
        logger.debug(base, 'booking not looked at');
    }
  };
}
