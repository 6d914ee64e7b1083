import { calendarFields, flagFields, storeFields } from '@bookiji/fleet';
import { type Environment, loadSettings, pick } from '@bookiji/runtime';

export function readConfig(environment: Environment) {
  return loadSettings(
    {
      ...storeFields,
      ...flagFields,
      ...calendarFields,
      ...pick(
        'INGRESS_PORT',
        'PUBLIC_BASE_URL',
        'API_TOKENS',
        'API_REQUESTS_PER_MINUTE',
        'CHANNEL_SECRETS',
        'GOOGLE_CALENDAR_WEBHOOK_SECRET',
        'MICROSOFT_CALENDAR_WEBHOOK_SECRET',
        'RECONCILE_INTERVAL_SECONDS',
      ),
    },
    environment,
  );
}
