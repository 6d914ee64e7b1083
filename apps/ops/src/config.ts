import { readFlagCeiling } from '@bookiji/flags';
import { type Environment, loadSettings, pick } from '@bookiji/runtime';

export type OpsConfig = ReturnType<typeof readConfig>;

export function readConfig(environment: Environment) {
  const settings = loadSettings(
    pick(
      'DATABASE_URL',
      'REDIS_URL',
      'QUEUE_PREFIX',
      'OPS_PORT',
      'OPS_TOKENS',
      'PUBLIC_BASE_URL',
      'CALENDAR_SYNC_ENABLED',
      'CALENDAR_OAUTH_ENABLED',
      'CALENDAR_JOBS_ENABLED',
      'CALENDAR_WEBHOOK_ENABLED',
      'CALENDAR_ALLOWLIST_PROVIDER_IDS',
      'CALENDAR_ALLOWLIST_CONNECTION_IDS',
      'LOG_LEVEL',
    ),
    environment,
  );
  return { settings, ceiling: readFlagCeiling(settings) };
}
