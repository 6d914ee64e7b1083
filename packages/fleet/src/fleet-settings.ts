/** The variables that several processes of the fleet read, grouped by what they are for. */
import { pick } from '@bookiji/runtime';

/** Every process. */
export const storeFields = pick(
  'DATABASE_URL',
  'REDIS_URL',
  'QUEUE_PREFIX',
  'LOG_LEVEL',
  'NODE_ENV',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'CALSYNC_COMMIT',
);

/** Every process that asks flags. */
export const flagFields = pick(
  'CALENDAR_SYNC_ENABLED',
  'CALENDAR_OAUTH_ENABLED',
  'CALENDAR_JOBS_ENABLED',
  'CALENDAR_WEBHOOK_ENABLED',
  'CALENDAR_ALLOWLIST_PROVIDER_IDS',
  'CALENDAR_ALLOWLIST_CONNECTION_IDS',
);

/** Every process that speaks to calendar providers. */
export const calendarFields = pick(
  'TOKEN_ENCRYPTION_KEYS',
  'GOOGLE_CLIENT_ID',
  'GOOGLE_CLIENT_SECRET',
  'GOOGLE_API_BASE_URL',
  'GOOGLE_AUTHORIZE_URL',
  'GOOGLE_TOKEN_URL',
  'GOOGLE_REVOKE_URL',
  'MICROSOFT_CLIENT_ID',
  'MICROSOFT_CLIENT_SECRET',
  'MICROSOFT_TENANT',
  'MICROSOFT_GRAPH_BASE_URL',
  'MICROSOFT_LOGIN_BASE_URL',
  'PROVIDER_TIMEOUT_MS',
  'BREAKER_RESET_SECONDS',
  'PROVIDER_REQUESTS_PER_MINUTE',
);

/** The workers' waits. */
export const backoffFields = pick('BACKOFF_BASE_SECONDS', 'BACKOFF_MAX_SECONDS');

/** Every process with workers. */
export const workerFields = pick('WORKER_LOST_AFTER_SECONDS');
