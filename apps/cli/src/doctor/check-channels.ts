/** Whether a former channel secret is still needed: channels keep the one they were opened with. */
import type { DatabaseHandle } from '@bookiji/db';
import { type Environment, loadSettings, pick, SettingsError } from '@bookiji/runtime';
import { secretMarkOf } from '@bookiji/sync';
import { type Finding, ok, warn } from './finding.ts';

export async function checkChannels(environment: Environment, { sql }: DatabaseHandle): Promise<Finding[]> {
  try {
    const { CHANNEL_SECRETS: secrets } = loadSettings(pick('CHANNEL_SECRETS'), environment);
    const [row] = await sql`
      SELECT count(*)::int AS all, count(*) FILTER (WHERE secret_mark IS DISTINCT FROM ${secretMarkOf(secrets)})::int AS older
        FROM channels WHERE state = 'active'`;
    const { all = 0, older = 0 } = row ?? {};
    if (older === 0) return [ok('channels', `${all} active, opened with the first channel secret`)];
    const fix = 'wait until the retry worker has replaced them; until then keep the older secret in CHANNEL_SECRETS';
    return [warn('channels', `${older} of ${all} active ones were opened with another channel secret`, fix)];
  } catch (error) {
    // Reported with the settings already.
    if (error instanceof SettingsError) return [];
    throw error;
  }
}
