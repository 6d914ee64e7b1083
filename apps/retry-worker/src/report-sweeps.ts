import type { Logger, Metrics } from '@bookiji/observability';

export interface SweepReporter {
  swept(sweep: string, found: number): void;
  failed(sweep: string, error: unknown): void;
}

/** @param sweeps every name there is; each counts from now, so that one that never succeeds is not simply absent. */
export function createSweepReporter(sweeps: readonly string[], logger: Logger, metrics: Metrics): SweepReporter {
  for (const sweep of sweeps) {
    metrics.sweepErrors.inc({ sweep }, 0);
    metrics.sweepLastSuccess.set({ sweep }, Date.now() / 1000);
  }
  return {
    swept(sweep, found) {
      metrics.sweepLastSuccess.set({ sweep }, Date.now() / 1000);
      metrics.sweepFindings.inc({ sweep }, found);
      if (found > 0) logger.debug({ sweep, found }, 'sweep found work');
    },
    failed(sweep, error) {
      metrics.sweepErrors.inc({ sweep });
      logger.warn({ sweep, err: error }, 'sweep failed; the next one tries again');
    },
  };
}
