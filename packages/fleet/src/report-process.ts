import { type Database, reportProcess } from '@bookiji/db';
import type { Logger, Metrics } from '@bookiji/observability';

const INTERVAL_MS = 1_000;

export interface ReportOptions {
  readonly db: Database;
  readonly instanceId: string;
  readonly role: string;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Tells the database every second that this process is there and what it has counted, so that the fleet's sum can be
 * told wherever its processes run. The last report is made at the end, with everything counted until then.
 *
 * @returns stops reporting.
 */
export function reportProcessEvery(options: ReportOptions): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const report = async () => {
    const all = await options.metrics.registry.getMetricsAsJSON();
    const metrics = all.filter((metric) => metric.name.startsWith('calendar_'));
    await reportProcess(options.db, { instanceId: options.instanceId, role: options.role, metrics });
  };
  const loop = async () => {
    await report().catch((error: unknown) => options.logger.debug({ err: error }, 'the process could not be reported'));
    if (isStopped) return;
    timer = setTimeout(() => void loop(), INTERVAL_MS);
    timer.unref();
  };
  void loop();

  return async () => {
    isStopped = true;
    clearTimeout(timer);
    await report().catch(() => undefined);
  };
}
