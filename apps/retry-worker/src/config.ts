import { backoffFields, calendarFields, flagFields, storeFields, workerFields } from '@bookiji/fleet';
import { type Environment, loadSettings, pick } from '@bookiji/runtime';

export function readConfig(environment: Environment) {
  return loadSettings(
    {
      ...storeFields,
      ...flagFields,
      ...calendarFields,
      ...backoffFields,
      ...workerFields,
      ...pick(
        'RETRY_WORKER_PORT',
        'PUBLIC_BASE_URL',
        'CHANNEL_SECRETS',
        'RECONCILE_INTERVAL_SECONDS',
        'SWEEP_INTERVAL_MS',
        'CHANNEL_RENEW_BEFORE_SECONDS',
        'DELETION_GRACE_SECONDS',
        'AUDIT_INTERVAL_SECONDS',
        'RETENTION_SECONDS',
        'BOOKING_RETENTION_SECONDS',
      ),
    },
    environment,
  );
}
