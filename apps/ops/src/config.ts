import { flagFields, storeFields } from '@bookiji/fleet';
import { type Environment, loadSettings, pick } from '@bookiji/runtime';

export function readConfig(environment: Environment) {
  return loadSettings(
    {
      ...storeFields,
      ...flagFields,
      ...pick(
        'OPS_PORT',
        'OPS_TOKENS',
        'OPS_READ_ONLY',
        'OPS_READ_ONLY_TOKENS',
        'PUBLIC_BASE_URL',
        'RECONCILE_INTERVAL_SECONDS',
      ),
    },
    environment,
  );
}
