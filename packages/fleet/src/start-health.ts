import { type ProcessContext, startHealthServer } from '@bookiji/runtime';
import type { Stores } from './open-stores.ts';

/** The health and metrics port of a worker; returns the port it listens on. */
export async function startHealth(context: ProcessContext, stores: Stores, port: number): Promise<number> {
  const { liveness, metrics, readiness } = stores;
  const health = await startHealthServer({
    port,
    answers: {
      readiness,
      liveness: () => liveness.states(),
      metrics: async () => ({ contentType: metrics.registry.contentType, text: await metrics.registry.metrics() }),
    },
  });
  context.own({ name: 'health', stop: () => health.stop() });
  return health.port;
}
