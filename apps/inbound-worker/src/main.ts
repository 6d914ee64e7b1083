/** Brings one connection up to date per job. */
import { setFlagsFromString } from 'node:v8';
import { findConnection, LEASE_MS } from '@bookiji/db';
import { openCalendarsBy, openStores, rememberSubjects, startHealth, startWorker } from '@bookiji/fleet';
import { createProviderEdges } from '@bookiji/providers/adapters';
import { QUEUE_NAMES } from '@bookiji/queues';
import { runProcess } from '@bookiji/runtime';
import { readConfig } from './config.ts';
import { createInboundSyncProcessor } from './process-inbound-sync.ts';
import { createSyncReporter } from './report-sync.ts';

/** A job waits for its calendar provider most of its time: with fewer at a time the queue grows while the core idles. */
const CONCURRENCY = 50;
/** A job holds one for a moment, several times. */
const DATABASE_CONNECTIONS = 25;

/** A first round reads everything there is; that it comes forward from page to page is seen to under its lease. */
const SYNC_AT_MOST_MS = 6 * 60 * 60_000;

// The pages of a calendar are a lot of garbage in a short time, and a heap left to itself grows long before the collector
// runs. Here the old part is told to grow by a fifth at a time; the young part can only be limited on Node's command line
// (`nodeOptionsOf` in packages/local-fleet, `infra/`). See "Memory of a first sync" in docs/benchmark-notes.md.
setFlagsFromString('--heap-growing-percent=20');

await runProcess({
  role: 'inbound-worker',
  async start(context) {
    const settings = readConfig(process.env);
    const stores = await openStores(context, 'inbound-worker', settings, DATABASE_CONNECTIONS);
    const { database, flags, logger, metrics, queues } = stores;
    const openCalendar = openCalendarsBy(settings, stores, createProviderEdges(settings));
    const processJob = createInboundSyncProcessor({
      sync: {
        db: database.db,
        openCalendar,
        owner: stores.instanceId,
        window: { pastDays: settings.SYNC_WINDOW_PAST_DAYS, futureDays: settings.SYNC_WINDOW_FUTURE_DAYS },
        backoff: { baseSeconds: settings.BACKOFF_BASE_SECONDS, maxSeconds: settings.BACKOFF_MAX_SECONDS },
        reconcileSeconds: settings.RECONCILE_INTERVAL_SECONDS,
        leaseMs: LEASE_MS,
        random: Math.random,
      },
      flags,
      queues,
      findSubject: rememberSubjects((id) => findConnection(database.db, id)),
      report: createSyncReporter(logger, metrics),
      onRingLost: () => metrics.ringsLost.inc(),
    });
    const port = await startHealth(context, stores, settings.INBOUND_WORKER_PORT);
    context.own(
      startWorker(
        stores,
        {
          queue: QUEUE_NAMES.inboundSync,
          concurrency: CONCURRENCY,
          atMostMs: SYNC_AT_MOST_MS,
          process: async (job, signal) => (await processJob(job.data, signal)).outcome,
        },
        context,
      ),
    );
    logger.info({ port }, 'ready');
  },
});
