/** The database: there, current, by its rules, with a clock like ours, and what it says of the fleet. */
import { type DatabaseHandle, listProcesses, listSealedTokens, readDatabaseTime, readFleetState } from '@bookiji/db';
import { migrationStatus, verifyMigrations } from '@bookiji/db/migrate';
import { FLEET_ROLES } from '@bookiji/local-fleet';
import { type Environment, loadSettings, pick, SettingsError } from '@bookiji/runtime';
import { UnsealError, unsealToken } from '@bookiji/sync';
import type { CommandContext } from '../context.ts';
import { checkChannels } from './check-channels.ts';
import { judgeSkew } from './check-reach.ts';
import { type Finding, fail, nameFailure, ok, warn } from './finding.ts';

const TOKENS_AT_MOST = 500;

export async function checkDatabase(context: CommandContext): Promise<Finding[]> {
  try {
    const url = await context.databaseUrl();
    return await context.withDatabase(async (handle) => {
      const startedAt = performance.now();
      await handle.ping(5_000);
      const ms = Math.round(performance.now() - startedAt);
      const [server] = await handle.sql`SHOW server_version`;
      const where = context.environment.DATABASE_URL ? 'DATABASE_URL' : 'embedded';
      const there = ok('database', `PostgreSQL ${server?.server_version} (${where}), answers in ${ms} ms`);
      const schema = await checkSchema(url);
      const now = context.now();
      const skew = judgeSkew('database clock', (await readDatabaseTime(handle.db)).getTime() - now.getTime());
      const isCurrent = schema.every(({ status }) => status === 'ok');
      return [there, ...schema, skew, ...(isCurrent ? await checkContents(context, handle) : [])];
    });
  } catch (error) {
    const fix = 'start it, or correct DATABASE_URL; without the variable an embedded one is used';
    return [fail('database', `cannot be used (${nameFailure(error)})`, fix)];
  }
}

async function checkSchema(url: string): Promise<Finding[]> {
  const { pending, unknown, applied } = await migrationStatus(url);
  if (unknown.length > 0)
    return [
      fail(
        'schema',
        `newer than this version: ${unknown.join(', ')}`,
        'run the version that made it, or roll back with it',
      ),
    ];
  if (pending.length > 0)
    return [fail('schema', `not applied: ${pending.join(', ')}`, 'npm run calsync -- migrate up')];
  const violated = (await verifyMigrations(url)).filter(({ violations }) => violations > 0);
  if (violated.length === 0) return [ok('schema', `${applied.length} migrations, verified without violation`)];
  const named = violated.map(({ check, violations }) => `${check} (${violations})`).join('; ');
  return [fail('schema', `violated: ${named}`, 'npm run calsync -- migrate verify; then report a defect')];
}

async function checkContents(context: CommandContext, handle: DatabaseHandle): Promise<Finding[]> {
  const { db } = handle;
  const [processes, state, keys, channels] = await Promise.all([
    listProcesses(db),
    readFleetState(db),
    checkKeys(context.environment, handle),
    checkChannels(context.environment, handle),
  ]);
  const alive = new Set(processes.filter(({ isAlive }) => isAlive).map(({ role }) => role));
  const missing = FLEET_ROLES.filter((role) => !alive.has(role));
  const dead = state.deadLetters.reduce((sum, { count }) => sum + count, 0);
  return [
    missing.length === 0
      ? ok('processes', 'every role was seen within seconds')
      : warn('processes', `not seen: ${missing.join(', ')}`, 'npm run fleet, or start them each where they belong'),
    dead === 0
      ? ok('dead letters', 'none')
      : warn(
          'dead letters',
          `${dead} open`,
          'npm run calsync -- dead-letters list; docs/runbooks/calendar-dead-letters.md',
        ),
    ...keys,
    ...channels,
  ];
}

/** Whether every stored token opens, and how many wait for an older key. */
async function checkKeys(environment: Environment, { db }: DatabaseHandle): Promise<Finding[]> {
  let keys: ReturnType<typeof loadSettings<ReturnType<typeof pick<'TOKEN_ENCRYPTION_KEYS'>>>>['TOKEN_ENCRYPTION_KEYS'];
  try {
    keys = loadSettings(pick('TOKEN_ENCRYPTION_KEYS'), environment).TOKEN_ENCRYPTION_KEYS;
  } catch (error) {
    // Reported with the settings already.
    if (error instanceof SettingsError) return [];
    throw error;
  }
  const rows = await listSealedTokens(db, null, TOKENS_AT_MOST);
  const [lost, older] = [new Set<string>(), new Set<string>()];
  for (const row of rows) {
    for (const [field, record] of [
      ['access_token', row.accessTokenSealed],
      ['refresh_token', row.refreshTokenSealed],
    ] as const) {
      if (record === null) continue;
      const keyId = record.split('.')[1] ?? '';
      if (keyId !== keys[0]?.id) older.add(keyId);
      if (!opens(record, { connectionId: row.id, field }, keys)) lost.add(keyId);
    }
  }
  if (lost.size > 0)
    return [
      fail(
        'keys',
        `tokens that no key opens, sealed under: ${[...lost].join(', ')}`,
        'put that key back into TOKEN_ENCRYPTION_KEYS, or let the owners connect again',
      ),
    ];
  if (older.size > 0)
    return [
      warn(
        'keys',
        `tokens sealed under older keys: ${[...older].join(', ')}`,
        'npm run calsync -- reseal; then the older keys can go',
      ),
    ];
  return [ok('keys', `${rows.length} connection(s) checked, every token opens under the first key`)];
}

function opens(
  record: string,
  place: Parameters<typeof unsealToken>[1],
  keys: Parameters<typeof unsealToken>[2],
): boolean {
  try {
    unsealToken(record, place, keys);
    return true;
  } catch (error) {
    if (error instanceof UnsealError) return false;
    throw error;
  }
}
