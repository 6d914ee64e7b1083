import { flagFields } from '@bookiji/fleet';
import { type Environment, loadSettings, pick } from '@bookiji/runtime';

export function readConfig(environment: Environment) {
  const settings = loadSettings({ ...pick('DATABASE_URL'), ...flagFields }, environment);
  const { DATABASE_URL: databaseUrl, ...flagEnvironment } = settings;
  return { databaseUrl, flagEnvironment, actor: `calsync:${environment.USER ?? 'operator'}` };
}
