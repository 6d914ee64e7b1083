/** What the environment says, before anything is opened. Pure. */
import { FLAG_NAMES, readFlagCeiling } from '@bookiji/flags';
import { flagFields } from '@bookiji/fleet';
import { checkSettings as checkFleetSettings, FLEET_ROLES } from '@bookiji/local-fleet';
import { type Environment, loadSettings, pick, SettingsError } from '@bookiji/runtime';
import { type Finding, fail, ok, warn } from './finding.ts';

export function checkSettings(environment: Environment): Finding[] {
  return [...checkVariables(environment), ...checkFlags(environment), ...checkAddress(environment)];
}

function checkVariables(environment: Environment): Finding[] {
  try {
    checkFleetSettings(environment, FLEET_ROLES);
    return [ok('settings', 'every variable that the fleet reads is there and valid')];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return describeProblems(error.message.split('; '));
  }
}

function describeProblems(problems: readonly string[]): Finding[] {
  const MISSING = ' is missing';
  const missing = problems.flatMap((one) => (one.endsWith(MISSING) ? [one.slice(0, -MISSING.length)] : []));
  const invalid = problems.filter((one) => !one.endsWith(MISSING));
  const fix = 'the table in README.md says what each variable means';
  return [
    ...invalid.map((problem) => fail('settings', problem, `correct it; ${fix}`)),
    ...(missing.length === 0 ? [] : [fail('settings', `missing: ${missing.join(', ')}`, `set them; ${fix}`)]),
  ];
}

function checkFlags(environment: Environment): Finding[] {
  const given = readSafely(() => loadSettings(flagFields, environment));
  if (given === null) return [];
  const { flags, providerIds } = readFlagCeiling(given);
  const off = FLAG_NAMES.filter((name) => !flags[name]);
  const told =
    off.length === 0
      ? ok('flags', 'all four are on in the environment')
      : warn(
          'flags',
          `off in the environment: ${off.join(', ')}`,
          'set them to true to turn them on; off is the default',
        );
  if (providerIds !== null) return [told, ok('allowlist', `${providerIds.length} provider(s) on the list`)];
  const fix = 'name the first providers in CALENDAR_ALLOWLIST_PROVIDER_IDS; empty is NO-GO in production';
  return [told, warn('allowlist', 'no provider list: everybody is served', fix)];
}

function checkAddress(environment: Environment): Finding[] {
  const given = readSafely(() => loadSettings(pick('PUBLIC_BASE_URL'), environment));
  if (given === null) return [];
  const { PUBLIC_BASE_URL: url } = given;
  if (url.startsWith('https:')) return [ok('public address', url)];
  const fix = 'set PUBLIC_BASE_URL to the https address that reaches ingress; calendar providers notify no other';
  return [warn('public address', url, fix)];
}

function readSafely<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof SettingsError) return null;
    throw error;
  }
}
