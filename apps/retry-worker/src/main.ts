/** Owns time: sweeps for what was missed, backoffs that ended, channels that must be kept. */
import { openCalendarsBy, openOAuthBy, openStores, publishAndMark, startHealth, startWorker } from '@bookiji/fleet';
import { createProviderEdges } from '@bookiji/providers/adapters';
import { QUEUE_NAMES } from '@bookiji/queues';
import { runProcess } from '@bookiji/runtime';
import { secretMarkOf, silentAfterSeconds } from '@bookiji/sync';
import { readConfig } from './config.ts';
import { createRetryProcessor } from './process-retry.ts';
import { createSweepReporter } from './report-sweeps.ts';
import { createSweeper } from './sweeper.ts';
import { sweepAdoptions } from './sweeps/adoptions.ts';
import { sweepAudits } from './sweeps/audits.ts';
import { sweepBookingOutbox } from './sweeps/booking-outbox.ts';
import { sweepDueBookings, sweepUnpublishedChanges } from './sweeps/due-bookings.ts';
import { sweepDueConnections, sweepReconciles } from './sweeps/due-connections.ts';
import { sweepChannels, sweepDisconnects, sweepRetention } from './sweeps/upkeep.ts';

const CONCURRENCY = 5;

/** An audit reads a whole calendar. */
const AUDIT_AT_MOST_MS = 60 * 60_000;

await runProcess({
  role: 'retry-worker',
  async start(context) {
    const settings = readConfig(process.env);
    const stores = await openStores(context, 'retry-worker', settings, CONCURRENCY + 8);
    const { database, flags, logger, metrics, queues } = stores;
    const { db } = database;
    const edges = createProviderEdges(settings);
    const openCalendar = openCalendarsBy(settings, stores, edges);

    const upkeep = {
      renewBeforeSeconds: settings.CHANNEL_RENEW_BEFORE_SECONDS,
      silentAfterSeconds: silentAfterSeconds(settings.RECONCILE_INTERVAL_SECONDS),
      secretMark: secretMarkOf(settings.CHANNEL_SECRETS),
    };
    const port = await startHealth(context, stores, settings.RETRY_WORKER_PORT);
    const processRetry = createRetryProcessor({
      db,
      flags,
      oauth: openOAuthBy(settings, stores, edges),
      keys: settings.TOKEN_ENCRYPTION_KEYS,
      openCalendar,
      queues,
      logger,
      metrics,
      publicBaseUrl: settings.PUBLIC_BASE_URL,
      channelSecrets: settings.CHANNEL_SECRETS,
      upkeep,
      auditIntervalSeconds: settings.AUDIT_INTERVAL_SECONDS,
    });
    const work = {
      queue: QUEUE_NAMES.retry,
      concurrency: CONCURRENCY,
      atMostMs: AUDIT_AT_MOST_MS,
      process: (job: { data: unknown }, signal: AbortSignal) => processRetry(job.data, signal),
    };
    context.own(startWorker(stores, work, context));

    const often = { db, flags, queues, intervalMs: settings.SWEEP_INTERVAL_MS };
    const sweeps = [
      sweepDueConnections(often),
      sweepReconciles({ ...often, reconcileSeconds: settings.RECONCILE_INTERVAL_SECONDS }),
      sweepBookingOutbox({
        db,
        queues,
        intervalMs: settings.SWEEP_INTERVAL_MS,
        onTaken: (outcome) => metrics.bookingEvents.inc({ outcome }),
        onRingLost: () => metrics.ringsLost.inc(),
      }),
      sweepAdoptions({ db }),
      sweepDueBookings(often),
      sweepUnpublishedChanges({
        db,
        publishChanges: (changes) => publishAndMark({ db, queues }, changes),
        intervalMs: settings.SWEEP_INTERVAL_MS,
        graceSeconds: settings.DELETION_GRACE_SECONDS,
        onHeld: (connectionIds) => {
          for (const connection_id of connectionIds) {
            logger.warn({ connection_id, outcome: 'held' }, 'deletions wait for a person');
          }
        },
      }),
      sweepAudits({ db, flags, queues, intervalSeconds: settings.AUDIT_INTERVAL_SECONDS }),
      sweepChannels({ ...often, upkeep }),
      sweepDisconnects(often),
      sweepRetention({
        db,
        seconds: settings.RETENTION_SECONDS,
        bookingSeconds: settings.BOOKING_RETENTION_SECONDS,
      }),
    ];
    const names = sweeps.map(({ name }) => name);
    const { swept, failed } = createSweepReporter(names, logger, metrics);
    const owner = stores.instanceId;
    const sweeper = createSweeper({ db, owner, random: Math.random, sweeps, onSwept: swept, onError: failed });
    sweeper.start();
    context.own({ name: 'sweeper', stop: () => sweeper.stop() });
    logger.info({ port }, 'ready');
  },
});
