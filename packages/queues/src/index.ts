/** @public For the booking service (docs/booking-service.md): what is wrong, in `InvalidBookingEventError`. */
export type { FieldIssue } from './booking-events.ts';
export {
  type BookingEvent,
  type BookingEventMessage,
  bookingEventSchema,
  describeIssues,
  parseBookingEvent,
} from './booking-events.ts';
export { readBookingIntent, toDesiredBooking } from './booking-intent.ts';
export {
  inboundSyncJob,
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
} from './external-changes.ts';
export { instantBetween } from './instant.ts';
export { subjectOfJob } from './job-subject.ts';
/** @public For the booking service: what `insertIntoOutbox` writes in. */
export type { OutboxTransaction } from './outbox.ts';
export { insertIntoOutbox } from './outbox.ts';
export { parkJob, postponeMs } from './park-job.ts';
export { prepareQueueSchema } from './prepare-schema.ts';
export { InvalidBookingEventError, publishBookingEvents } from './publisher.ts';
export { QUEUE_NAMES } from './queue-names.ts';
/** @public For the booking service: of `republishBookings`. */
export type { RepublishOptions } from './republish.ts';
export { republishBookings } from './republish.ts';
export { requireSessions } from './require-sessions.ts';
/** @public For the booking service: where `openQueues` finds them. */
export type { Transport } from './transport.ts';
export {
  JOB_LOCK,
  openQueues,
  type QueueSystem,
  type QueueTelemetry,
  type WorkerHandle,
} from './transport.ts';
