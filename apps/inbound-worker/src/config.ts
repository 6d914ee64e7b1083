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
      ...pick('INBOUND_WORKER_PORT', 'SYNC_WINDOW_PAST_DAYS', 'SYNC_WINDOW_FUTURE_DAYS', 'RECONCILE_INTERVAL_SECONDS'),
    },
    environment,
  );
}
