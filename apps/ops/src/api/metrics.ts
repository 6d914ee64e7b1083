import type { Database } from '@bookiji/db';
import type { FlagBoard } from '@bookiji/flags';
import type { Metrics } from '@bookiji/observability';
import type { QueueSystem } from '@bookiji/queues';
import { Router } from 'express';
import { readFleetMetrics, readFleetMetricsText, summarise, updateDatabaseGauges } from '../fleet/fleet-metrics.ts';
import { readGates } from '../fleet/read-gates.ts';
import { QUEUE_STATES, readQueues } from '../fleet/read-queues.ts';

export interface MetricsApiOptions {
  readonly db: Database;
  readonly flags: FlagBoard;
  readonly queues: QueueSystem;
  readonly metrics: Metrics;
  readonly now: () => Date;
}

/** `GET /api/ops/metrics/calendar`: the whole fleet's sum, as JSON or (`?format=prometheus`) as text. */
export function createMetricsApi(options: MetricsApiOptions): Router {
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
export async function updateGauges({ db, flags, queues, metrics }: MetricsApiOptions): Promise<void> {
  metrics.jobsEnabled.set(flags.isOn('CALENDAR_JOBS_ENABLED') ? 1 : 0);
  await updateDatabaseGauges(db, readGates(flags), metrics);
  for (const { name: queue, counts } of await readQueues(queues)) {
    if (counts === null) metrics.storeErrors.inc({ store: 'queue' });
    else for (const state of QUEUE_STATES) metrics.queueJobs.set({ queue, state }, counts[state]);
  }
}
