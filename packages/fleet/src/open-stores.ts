/** What every process of the fleet stands on: log, metrics, database, queues, flags. */
import { randomUUID } from 'node:crypto';
import { type DatabaseHandle, mayCreateSchemas, openDatabase, requireSessionLimits } from '@bookiji/db';
import { createFlagBoard, type FlagBoard, readFlagCeiling } from '@bookiji/flags';
import { createLogger, createMetrics, flushLog, type Logger, type Metrics, startTracing } from '@bookiji/observability';
import { openQueues, type QueueSystem, requireSessions } from '@bookiji/queues';
import type { ProcessContext, ReadinessCheck } from '@bookiji/runtime';
import { createLivenessBoard, type LivenessBoard } from './liveness-board.ts';
import { reportProcessEvery } from './report-process.ts';

/** Less than a probe's patience. */
const QUEUE_ANSWERS_WITHIN_MS = 1_000;

export interface StoreSettings {
  readonly DATABASE_URL: string;
  readonly REDIS_URL?: string | undefined;
  readonly QUEUE_PREFIX: string;
  readonly LOG_LEVEL: string;
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  readonly CALSYNC_COMMIT?: string | undefined;
  readonly CALENDAR_SYNC_ENABLED?: string | undefined;
  readonly CALENDAR_OAUTH_ENABLED?: string | undefined;
  readonly CALENDAR_JOBS_ENABLED?: string | undefined;
  readonly CALENDAR_WEBHOOK_ENABLED?: string | undefined;
  readonly CALENDAR_ALLOWLIST_PROVIDER_IDS?: string | undefined;
  readonly CALENDAR_ALLOWLIST_CONNECTION_IDS?: string | undefined;
  /** Of processes with workers. */
  readonly WORKER_LOST_AFTER_SECONDS?: number;
}

export interface Stores {
  readonly role: string;
  /** This start of this process; stands in leases and reports. */
  readonly instanceId: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly database: DatabaseHandle;
  readonly queues: QueueSystem;
  readonly flags: FlagBoard;
  readonly readiness: readonly ReadinessCheck[];
  readonly liveness: LivenessBoard;
}

/** Opens them in order and hands them to the process, which closes them last. */
export async function openStores(
  context: ProcessContext,
  role: string,
  settings: StoreSettings,
  databaseConnections = 10,
): Promise<Stores> {
  const instanceId = randomUUID();
  const logger = createLogger({ role, level: settings.LOG_LEVEL });
  const metrics = createMetrics(role);
  metrics.build.set({ commit: settings.CALSYNC_COMMIT ?? 'unknown' }, 1);
  // The last to stop: everything else may still have something to say.
  context.own({ name: 'log', stop: () => flushLog(logger) });

  const endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  const isTraced = endpoint !== undefined;
  if (isTraced) context.own({ name: 'traces', stop: await startTracing({ role, instanceId, endpoint }) });

  const database = openDatabase(settings.DATABASE_URL, { applicationName: role, max: databaseConnections });
  context.own({ name: 'database', stop: () => database.close() });
  await database.ping(10_000);
  await requireSessionLimits(database.db);
  await database.prepareStatements();

  const onQueueError = (error: Error) => {
    metrics.storeErrors.inc({ store: 'queue' });
    logger.warn({ err: error }, 'queue transport failed');
  };
  const { REDIS_URL: redisUrl, QUEUE_PREFIX: prefix } = settings;
  if (redisUrl === undefined) await requireSessions(settings.DATABASE_URL);
  const queues = openQueues(
    redisUrl === undefined
      ? { kind: 'postgres', url: settings.DATABASE_URL, prefix, isPrepared: !(await mayCreateSchemas(database.db)) }
      : { kind: 'redis', url: redisUrl, prefix },
    onQueueError,
    isTraced ? (await import('./queue-telemetry.ts')).createQueueTelemetry() : undefined,
  );
  context.own({ name: 'queues', stop: () => queues.close() });

  const flags = createFlagBoard({
    ceiling: readFlagCeiling(settings),
    db: database.db,
    onError: (error) => {
      metrics.storeErrors.inc({ store: 'database' });
      logger.warn({ err: error }, 'switches could not be read; the last known ones stay in force');
    },
  });
  flags.onRefresh(() => metrics.jobsEnabled.set(flags.isOn('CALENDAR_JOBS_ENABLED') ? 1 : 0));
  await flags.start();
  context.own({ name: 'flags', stop: async () => flags.stop() });

  const stopReporting = reportProcessEvery({ db: database.db, instanceId, role, metrics, logger });
  context.own({ name: 'report', stop: stopReporting });

  // A worker lives on its queue, whereas ingress and ops are there without one: what cannot be rung is found by a sweep. A queue
  // in PostgreSQL is there when the database is.
  const needsRedis = redisUrl !== undefined && settings.WORKER_LOST_AFTER_SECONDS !== undefined;
  const readiness = [
    { name: 'database', check: () => database.ping() },
    ...(needsRedis ? [{ name: 'queue', check: () => queues.ping(QUEUE_ANSWERS_WITHIN_MS) }] : []),
  ];
  const liveness = createLivenessBoard((settings.WORKER_LOST_AFTER_SECONDS ?? 30) * 1_000);
  return { role, instanceId, logger, metrics, database, queues, flags, readiness, liveness };
}
