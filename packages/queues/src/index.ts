export {
  type BookingEvent,
  type BookingEventMessage,
  bookingEventSchema,
  describeIssues,
  type FieldIssue,
  type ParsedBookingEvent,
  parseBookingEvent,
} from './booking-events.ts';
export { type DesiredBooking, readBookingIntent, toDesiredBooking } from './booking-intent.ts';
export {
  type InboundSyncJob,
  inboundSyncJob,
  type OutboundSyncJob,
  outboundSyncJob,
  type RetryJob,
  retryJob,
  ringAll,
  ringInboundSyncs,
  ringOutboundSyncs,
  ringRetry,
} from './doorbells.ts';
export {
  EXTERNAL_CHANGE_KINDS,
  type ExternalChangeMessage,
  publishExternalChanges,
  type RecordedChange,
} from './external-changes.ts';
export { instantBetween } from './instant.ts';
export { subjectOfJob } from './job-subject.ts';
export { insertIntoOutbox, type OutboxTransaction } from './outbox.ts';
export { parkJob, postponeMs } from './park-job.ts';
export { prepareQueueSchema } from './prepare-schema.ts';
export { InvalidBookingEventError, publishBookingEvents } from './publisher.ts';
export { QUEUE_NAMES, type QueueName } from './queue-names.ts';
export { parseRedisUrl, type RedisTarget } from './redis-url.ts';
export { type RepublishOptions, republishBookings } from './republish.ts';
export { requireSessions } from './require-sessions.ts';
export {
  JOB_LOCK,
  type JobProcessor,
  openQueues,
  type QueueHandle,
  type QueueSystem,
  type QueueTelemetry,
  type Transport,
  type WorkerHandle,
  type WorkerTuning,
} from './transport.ts';
