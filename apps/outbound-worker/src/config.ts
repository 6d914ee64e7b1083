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
      ...pick('OUTBOUND_WORKER_PORT'),
    },
    environment,
  );
}
