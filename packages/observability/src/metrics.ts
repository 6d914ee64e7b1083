/**
 * Every metric of the product, declared once. Base units, counters end in `_total`, prefix `calendar_`, no label with an id
 * in it. What has a fixed set of labels is exported at zero from the start, so that a rule can tell "none" from "not there".
 *
 * Two names are prescribed from outside and follow neither rule: `calendar_sync_latency_ms` is in milliseconds, and
 * `calendar_sync_items_processed` is a counter without `_total`.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const CALENDAR_PROVIDERS = ['google', 'microsoft'] as const;
/** What became of notifications, as far as a dashboard asks for it by name. */
const NOTIFICATION_OUTCOMES = ['accepted', 'duplicate', 'handshake', 'not_authentic', 'unavailable'] as const;
const LAG_SECONDS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
const CALL_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SYNC_MS = [10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000];

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics(role: string) {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames: [...labelNames], registers });
  /** Of several processes the sum would be no time and no state: the newest, or the worst, stands for all. */
  const highest = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames: [...labelNames], registers, aggregator: 'max' });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], labelNames: readonly L[] = []) =>
    new Histogram<L>({ name, help, buckets, labelNames: [...labelNames], registers });

  const metrics = {
    registry,
    /** Of several processes the sum: how many run each commit. */
    build: gauge('calendar_build_info', 'Processes by the commit that they run', ['commit']),
    syncRuns: counter('calendar_sync_runs_total', 'Finished syncs of one connection, whatever their outcome', [
      'calendar_provider',
      'mode',
    ]),
    syncFailures: counter('calendar_sync_failures_total', 'Syncs that failed, by error kind', [
      'calendar_provider',
      'kind',
    ]),
    syncItems: counter('calendar_sync_items_processed', 'Events put or dropped by syncs', ['calendar_provider']),
    syncLatency: histogram('calendar_sync_latency_ms', 'Duration of one sync in milliseconds', SYNC_MS, [
      'calendar_provider',
    ]),
    unreadableItems: counter(
      'calendar_unreadable_items_total',
      'Items of a feed that may block and could not be understood',
      ['calendar_provider'],
    ),
    jobsEnabled: highest('calendar_jobs_enabled', '1 while CALENDAR_JOBS_ENABLED is in force'),
    webhooks: counter('calendar_webhooks_total', 'Notifications received, per request (Google) or item (Graph)', [
      'calendar_provider',
      'outcome',
    ]),
    webhookAck: histogram('calendar_webhook_ack_duration_seconds', 'Notification received to answered', CALL_SECONDS, [
      'calendar_provider',
    ]),
    changeLag: histogram(
      'calendar_change_lag_seconds',
      'Notification accepted to busy interval committed',
      LAG_SECONDS,
      ['calendar_provider'],
    ),
    bookingLag: histogram('calendar_booking_lag_seconds', 'Booking event received to calendar written', LAG_SECONDS, [
      'calendar_provider',
    ]),
    bookingEvents: counter('calendar_booking_events_total', 'Booking events taken in', ['outcome']),
    effects: counter('calendar_effects_total', 'Attempts to bring a booking into a calendar', [
      'calendar_provider',
      'outcome',
    ]),
    intentsPending: gauge('calendar_intents_pending', 'Work that is due or waiting, by kind', ['kind']),
    intentsParked: gauge('calendar_intents_parked', 'Work that operators stopped, by kind', ['kind']),
    doubtfulConnections: gauge(
      'calendar_doubtful_connections',
      'Connections whose calendar shows something that may block and cannot be read',
      ['calendar_provider'],
    ),
    intentOldestAge: gauge('calendar_intent_oldest_age_seconds', 'Age of the oldest pending work', ['kind']),
    deadLetters: gauge('calendar_dead_letters', 'Open dead letters', ['kind']),
    providerRequests: counter('calendar_provider_requests_total', 'Calls to calendar providers', [
      'calendar_provider',
      'operation',
      'outcome',
    ]),
    providerDuration: histogram('calendar_provider_request_duration_seconds', 'Duration of one call', CALL_SECONDS, [
      'calendar_provider',
      'operation',
    ]),
    unknownAnswers: counter('calendar_provider_unknown_answers_total', 'Answers that no rule names yet', [
      'calendar_provider',
      'reason',
    ]),
    breakerState: highest('calendar_breaker_state', '0 closed, 1 half_open, 2 open', ['calendar_provider']),
    queueJobs: gauge('calendar_queue_jobs', 'Jobs by queue and state', ['queue', 'state']),
    channels: gauge('calendar_channels', 'Push registrations by state', ['calendar_provider', 'state']),
    auditMismatches: gauge('calendar_audit_mismatches', 'Differences found between calendars and the database', [
      'kind',
    ]),
    ringsLost: counter('calendar_enqueue_failures_total', 'Doorbells that could not be rung; a sweep finds the work'),
    sweepFindings: counter('calendar_sweep_found_total', 'Work that sweeps found', ['sweep']),
    sweepErrors: counter('calendar_sweep_failures_total', 'Sweeps that failed', ['sweep']),
    sweepLastSuccess: highest('calendar_sweep_last_success_timestamp_seconds', 'When each sweep last succeeded', [
      'sweep',
    ]),
    jobs: counter('calendar_job_attempts_total', 'Jobs processed, by outcome', ['queue', 'outcome']),
    stalledJobs: counter('calendar_jobs_stalled_total', 'Jobs whose worker was lost', ['queue']),
    storeErrors: counter('calendar_store_errors_total', 'Failures of PostgreSQL or the queue transport', ['store']),
    canaryLastSuccess: highest(
      'calendar_canary_last_success_timestamp_seconds',
      'When a canary last went through queue and worker',
      ['queue'],
    ),
  };

  for (const calendar_provider of CALENDAR_PROVIDERS) {
    for (const mode of ['incremental', 'full']) metrics.syncRuns.inc({ calendar_provider, mode }, 0);
    metrics.syncFailures.inc({ calendar_provider, kind: 'transient' }, 0);
    metrics.syncItems.inc({ calendar_provider }, 0);
    metrics.syncLatency.zero({ calendar_provider });
    metrics.changeLag.zero({ calendar_provider });
    metrics.bookingLag.zero({ calendar_provider });
    metrics.unreadableItems.inc({ calendar_provider }, 0);
    metrics.webhookAck.zero({ calendar_provider });
    for (const outcome of NOTIFICATION_OUTCOMES) metrics.webhooks.inc({ calendar_provider, outcome }, 0);
  }
  for (const outcome of ['accepted', 'superseded', 'dead_letter']) metrics.bookingEvents.inc({ outcome }, 0);
  for (const store of ['database', 'queue']) metrics.storeErrors.inc({ store }, 0);
  return metrics;
}
