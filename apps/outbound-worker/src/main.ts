/** Takes booking events in and writes them to calendars. */
import { findConnection, LEASE_MS } from '@bookiji/db';
import {
  openCalendarsBy,
  openStores,
  publishAndMark,
  rememberSubjects,
  startHealth,
  startWorker,
} from '@bookiji/fleet';
import { createProviderEdges } from '@bookiji/providers/adapters';
import { QUEUE_NAMES } from '@bookiji/queues';
import { runProcess } from '@bookiji/runtime';
import { readConfig } from './config.ts';
import { processBookingEvent } from './process-booking-event.ts';
import { createOutboundSyncProcessor } from './process-outbound-sync.ts';
import { createConvergeReporter } from './report-converge.ts';

const CONCURRENCY = 20;
/** A write waits for its calendar provider most of its time. */
const WRITES_AT_ONCE = 40;
/** A write that waits for its turn holds one of these places: a connection with hundreds of bookings gets some of them. */
const WAITING_PER_CONNECTION = 10;

await runProcess({
  role: 'outbound-worker',
  async start(context) {
    const settings = readConfig(process.env);
    const stores = await openStores(context, 'outbound-worker', settings, CONCURRENCY + 5);
    const { database, flags, logger, metrics, queues } = stores;
    const onRingLost = () => metrics.ringsLost.inc();

    const takeIn = async (job: { id: string; data: unknown }) => {
      const result = await processBookingEvent({ db: database.db, queues, onRingLost }, job);
      metrics.bookingEvents.inc({ outcome: result.outcome });
      const about =
        result.outcome === 'dead_letter'
          ? { reason: result.reason }
          : { booking_id: result.event.booking_id, booking_version: result.event.version, type: result.event.type };
      logger.info({ job_id: job.id, outcome: result.outcome, ...about }, 'booking event');
      return result.outcome;
    };
    const openCalendar = openCalendarsBy(settings, stores, createProviderEdges(settings), {
      waitingPerConnection: WAITING_PER_CONNECTION,
    });
    const converge = createOutboundSyncProcessor({
      converge: {
        db: database.db,
        openCalendar,
        owner: stores.instanceId,
        backoff: { baseSeconds: settings.BACKOFF_BASE_SECONDS, maxSeconds: settings.BACKOFF_MAX_SECONDS },
        leaseMs: LEASE_MS,
        random: Math.random,
      },
      flags,
      queues,
      findSubject: rememberSubjects((id) => findConnection(database.db, id)),
      tryAcquire: openCalendar.tryAcquire,
      isCalm: openCalendar.isCalm,
      publishChanges: (changes) => publishAndMark({ db: database.db, queues }, changes),
      report: createConvergeReporter(logger, metrics),
      onRingLost,
    });

    const port = await startHealth(context, stores, settings.OUTBOUND_WORKER_PORT);
    const takeInWork = {
      queue: QUEUE_NAMES.bookingEvents,
      concurrency: CONCURRENCY,
      isNeverGivenUp: true,
      process: takeIn,
    };
    const convergeWork = {
      queue: QUEUE_NAMES.outboundSync,
      concurrency: WRITES_AT_ONCE,
      process: async (job: { data: unknown }, signal: AbortSignal) => (await converge(job.data, signal)).outcome,
    };
    context.own(startWorker(stores, takeInWork, context));
    context.own(startWorker(stores, convergeWork, context));
    logger.info({ port }, 'ready');
  },
});
