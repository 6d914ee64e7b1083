import { backoffFields, calendarFields, flagFields, storeFields } from '@bookiji/fleet';
import { type Environment, loadSettings, pick } from '@bookiji/runtime';

export function readConfig(environment: Environment) {
  return loadSettings(
    { ...storeFields, ...flagFields, ...calendarFields, ...backoffFields, ...pick('OUTBOUND_WORKER_PORT') },
    environment,
  );
}
