/** A whole fleet for the drills alone: its own processes, database, Redis and sandbox, on free ports, gone afterwards. */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { openDatabase } from '@bookiji/db';
import { migrateUp } from '@bookiji/db/migrate';
import {
  LOCAL_PORT_VARIABLES,
  type LocalFleet,
  openBookingDesk,
  type Role,
  startFleet,
  startLocalFleet,
  waitUntil,
} from '@bookiji/local-fleet';
import { type Environment, findFreePort, makeReachableDir } from '@bookiji/runtime';
import { createOpsClient } from './ops-client.ts';
import { type OwnedServer, ownPostgres, ownRedis } from './owned-server.ts';
import { createPrivateWords, type PrivateWords } from './private-words.ts';
import type { Beside, LogLine, OwnedFleet, Target } from './target.ts';

export interface LocalTargetOptions {
  /** Only what a program needs to run at all is taken from it; no secret, no address, no flag. */
  readonly environment: Environment;
  /** Settings of the fleet that shall differ; for tests that sabotage it. */
  readonly over?: Environment;
  readonly onNews?: (line: string) => void;
}

const KEPT_VARIABLES =
  /^(PATH|HOME|TMPDIR|LANG|TZ|LD_LIBRARY_PATH|NODE_COMPILE_CACHE|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|CALSYNC_TEST_LOGS)$/;
const SECRET_VARIABLES = [
  'API_TOKENS',
  'OPS_TOKENS',
  'CHANNEL_SECRETS',
  'TOKEN_ENCRYPTION_KEYS',
  'GOOGLE_CLIENT_SECRET',
  'MICROSOFT_CLIENT_SECRET',
];
/** More providers than all drills together use. */
const PROVIDERS = 60;
/** Everything that is waited for is short, so that waiting is not most of a drill. */
const TEMPO = {
  SWEEP_INTERVAL_MS: '250',
  BACKOFF_BASE_SECONDS: '1',
  BACKOFF_MAX_SECONDS: '4',
  PROVIDER_TIMEOUT_MS: '2500',
  BREAKER_RESET_SECONDS: '2',
  // Longer than any drill: what arrives was brought by a notification, not by looking again.
  RECONCILE_INTERVAL_SECONDS: '900',
};

export async function startLocalTarget(options: LocalTargetOptions): Promise<Target> {
  const stateDir = makeReachableDir('calsync-drill-');
  const undo: (() => Promise<void> | void)[] = [() => rmSync(stateDir, { recursive: true, force: true })];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    return await assemble(options, stateDir, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function assemble(
  { environment: given, over = {}, onNews = () => undefined }: LocalTargetOptions,
  stateDir: string,
  undo: (() => Promise<void> | void)[],
  stop: () => Promise<void>,
): Promise<Target> {
  const databaseServer = await ownPostgres(stateDir);
  undo.push(() => databaseServer.stop());
  await migrateUp(databaseServer.url);
  const redisServer = await ownRedis();
  if (redisServer !== null) undo.push(() => redisServer.stop());
  onNews(`own PostgreSQL and ${redisServer === null ? 'its queues' : 'own Redis'} are up`);

  const providerIds = Array.from({ length: PROVIDERS }, () => randomUUID());
  const lines: LogLine[] = [];
  const onLine = (role: string, line: string) => void lines.push({ role, line });
  const environment = drillEnvironment(given, databaseServer, redisServer, providerIds, over);
  const fleet = await startLocalFleet({ environment, stateDir, onLine });
  undo.push(() => fleet.stop());
  const database = openDatabase(databaseServer.url, { applicationName: 'drill', max: 4 });
  undo.push(() => database.close());
  const desk = openBookingDesk(fleet.environment);
  undo.push(() => desk.close());
  await fleet.ready(60_000);
  onNews('own fleet with its sandbox is up');

  const owned: OwnedFleet = {
    environment: fleet.environment,
    urls: fleet.urls,
    lines,
    database,
    desk,
    databaseServer,
    redisServer,
    pid: (role) => fleet.supervisor.pids().get(role),
    signal: (role, signal) => fleet.kill(role, signal),
    ready: () => fleet.ready(30_000),
    startBeside: (role, settings) => startBeside(fleet, role, settings, onLine),
    createDatabase: () => createDatabase(database, databaseServer.url),
  };
  return {
    kind: 'local',
    // It runs what is checked out.
    readCommits: async () => null,
    description: `a fleet of the drill's own, queues in ${redisServer === null ? 'PostgreSQL' : 'Redis'}`,
    ingress: fleet.ingress,
    ops: createOpsClient(fleet.urls.ops, fleet.opsToken),
    sandbox: fleet.sandbox,
    owned,
    privateWords: keepSecrets(fleet.environment),
    nextProviderId: () => {
      const id = providerIds.pop();
      if (id === undefined) throw new Error('the drills use more providers than are on the allowlist');
      return id;
    },
    stop,
  };
}

function drillEnvironment(
  given: Environment,
  databaseServer: OwnedServer,
  redisServer: OwnedServer | null,
  providerIds: readonly string[],
  over: Environment,
): Environment {
  return {
    ...Object.fromEntries(Object.entries(given).filter(([name]) => KEPT_VARIABLES.test(name))),
    ...Object.fromEntries(LOCAL_PORT_VARIABLES.map((name) => [name, '0'])),
    ...TEMPO,
    NODE_ENV: 'production',
    // Everything that can be logged is looked through for secrets.
    LOG_LEVEL: 'debug',
    DATABASE_URL: databaseServer.url,
    ...(redisServer === null ? {} : { REDIS_URL: redisServer.url }),
    CALENDAR_ALLOWLIST_PROVIDER_IDS: providerIds.join(','),
    ...over,
  };
}

/** The secrets of the settings are the first words that no log may hold. */
function keepSecrets(environment: Environment): PrivateWords {
  const words = createPrivateWords();
  for (const name of SECRET_VARIABLES) {
    for (const item of (environment[name] ?? '').split(',')) {
      words.keep('secret', name === 'TOKEN_ENCRYPTION_KEYS' ? item.slice(item.indexOf(':') + 1) : item);
    }
  }
  return words;
}

async function startBeside(
  fleet: LocalFleet,
  role: 'ingress' | 'ops',
  over: Environment,
  onLine: (role: string, line: string) => void,
): Promise<Beside> {
  const port = String(await findFreePort());
  const variable = role === 'ingress' ? 'INGRESS_PORT' : 'OPS_PORT';
  const environment = { ...fleet.environment, PUBLIC_BASE_URL: fleet.urls.ingress, ...over, [variable]: port };
  const supervisor = startFleet(environment, [role as Role], onLine);
  const url = `http://127.0.0.1:${port}`;
  const isReady = async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok;
  try {
    await waitUntil(`the ${role} beside`, isReady, 30_000);
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
  return { url, stop: () => supervisor.stop() };
}

async function createDatabase(database: ReturnType<typeof openDatabase>, serverUrl: string) {
  const name = `drill_${randomUUID().replaceAll('-', '')}`;
  // biome-ignore lint/plugin: a name made here; DDL takes no parameters
  await database.sql.unsafe(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    // biome-ignore lint/plugin: a name made here; DDL takes no parameters
    drop: async () => void (await database.sql.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}
