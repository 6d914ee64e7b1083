import type { Database } from '@bookiji/db';
import type { FlagBoard } from '@bookiji/flags';
import type { Metrics } from '@bookiji/observability';
import { QUEUE_NAMES, type QueueSystem } from '@bookiji/queues';
import { Router } from 'express';
import { readFleetMetrics, readFleetMetricsText, summarise, updateDatabaseGauges } from '../fleet-metrics.ts';

/** Asked for by name: the PostgreSQL backend leaves `paused` out of the default answer. */
const STATES = ['waiting', 'active', 'delayed', 'prioritized', 'paused', 'failed'] as const;

export interface MetricsRouteOptions {
  readonly db: Database;
  readonly flags: FlagBoard;
  readonly queues: QueueSystem;
  readonly metrics: Metrics;
  readonly now: () => Date;
}

/** `GET /api/ops/metrics/calendar`: the whole fleet's sum, as JSON or (`?format=prometheus`) as text. */
export function createMetricsRoutes(options: MetricsRouteOptions): Router {
  const router = Router();
  router.get('/', async (request, response) => {
    await updateGauges(options);
    const own = (await options.metrics.registry.getMetricsAsJSON()) as never;
    if (request.query.format === 'prometheus') {
      const text = await readFleetMetricsText(options.db, own);
      response.type(options.metrics.registry.contentType).send(text);
      return;
    }
    response.json({
      timestamp: options.now().toISOString(),
      metrics: summarise(await readFleetMetrics(options.db, own)),
    });
  });
  return router;
}

/** Fills what is asked for at the moment of the question: database, queues, flags. */
export async function updateGauges({ db, flags, queues, metrics }: MetricsRouteOptions): Promise<void> {
  metrics.jobsEnabled.set(flags.isOn('CALENDAR_JOBS_ENABLED') ? 1 : 0);
  await updateDatabaseGauges(db, metrics);
  await Promise.all(
    Object.values(QUEUE_NAMES).map(async (queue) => {
      try {
        const counts = await queues.queue(queue).getJobCounts(...(STATES as unknown as 'waiting'[]));
        for (const state of STATES) metrics.queueJobs.set({ queue, state }, counts[state] ?? 0);
      } catch {
        metrics.storeErrors.inc({ store: 'queue' });
      }
    }),
  );
}
