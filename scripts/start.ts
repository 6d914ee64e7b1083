/** `npm start`: embedded database, sandbox calendars and the whole fleet; plays the main job, then stays up. */
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join, relative } from 'node:path';
import type { LocalFleet, Role } from '@bookiji/local-fleet';
import { startDatabase } from '@bookiji/local-fleet/database';
import { describeFailure } from '@bookiji/runtime';
import { createTeller } from './demo/teller.ts';

// The server wakes up while the product is being loaded, and the product's processes while the demo is.
const early = startDatabase(process.env);
early.catch(() => undefined);
const programs = process.env.CALSYNC_PROGRAMS ? Promise.resolve(process.env.CALSYNC_PROGRAMS) : buildPrograms();
const local = await import('@bookiji/local-fleet');
const { LOCAL_ROLES, ROOT, STATE_DIR } = local;

/** The console has no part in the first two stories; on two cores they would wait half a second for it. */
const LATER: readonly Role[] = ['ops'];
const FIRST = LOCAL_ROLES.filter((role) => !LATER.includes(role));
const READY_WITHIN_MS = 60_000;
const LOG = join(STATE_DIR, 'fleet.log');
const tell = createTeller();
let stop = async (): Promise<void> => (await early.catch(() => null))?.stop();
let isStopping = false;

/** Null when they could not be built: the sources do as well, a little later. */
function buildPrograms(): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['scripts/build-programs.mjs'], (error, stdout) =>
      resolve(error === null ? stdout.trim() : null),
    );
  });
}

/** Once: a second Ctrl-C does not start a second end. */
async function end(exitCode: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  await stop();
  process.exit(exitCode);
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!isStopping) tell.plain('stopping …');
    void end(0);
  });
}

try {
  local.checkSettings(local.localEnvironment(process.env, 'http://127.0.0.1'), LOCAL_ROLES);
  await local.checkPorts(process.env, LOCAL_ROLES);
  const fleet = await startEverything();
  const { playLife, playStory } = await import('./demo/index.ts');
  await fleet.ready(READY_WITHIN_MS, FIRST);
  tell.step(`fleet is up: ${FIRST.join(', ')}; queues on ${process.env.REDIS_URL ? 'Redis' : 'PostgreSQL'}`);
  await playStory(fleet, tell);
  fleet.startLater();
  await fleet.ready(READY_WITHIN_MS);
  tell.step('the console is up: ops');
  await playLife(fleet, tell);
  showAddresses(fleet);
} catch (error) {
  if (!isStopping) {
    process.stderr.write(
      `start: ${error instanceof Error && error.name === 'Error' ? error.message : describeFailure(error)}\n`,
    );
    await end(1);
  }
}

async function startEverything(): Promise<LocalFleet> {
  const database = await local.prepareDatabase(process.env, early);
  tell.step(database.embedded === null ? 'PostgreSQL at DATABASE_URL' : 'embedded PostgreSQL is up, schema is current');
  const log = createWriteStream(LOG, { flags: 'a' });
  const fleet = await local.startLocalFleet({
    environment: { ...process.env, ...database.doors, DATABASE_URL: database.url },
    programs: await programs,
    later: LATER,
    onLine: (role, line) => {
      log.write(`${role} ${line}\n`);
      if (role === 'fleet' && !isStopping) tell.step(line);
    },
  });
  stop = async () => {
    await fleet.stop();
    await database.embedded?.stop();
  };
  return fleet;
}

function showAddresses({ urls, environment, opsToken }: LocalFleet): void {
  const apiToken = environment.API_TOKENS?.split(',')[0];
  const lines = [
    '',
    '  Everything stays up; Ctrl-C ends it.',
    '',
    `  calendars   ${urls.sandbox}/            change an event by hand and watch`,
    `  console     ${urls.ops}/            password ${opsToken}`,
    `  queues      ${urls.ops}/queues`,
    `  metrics     ${urls.ops}/api/ops/metrics/calendar`,
    `  API         ${urls.ingress}/api/calendar/…   Authorization: Bearer ${apiToken}`,
    `  log         ${relative(ROOT, LOG)}`,
    '',
  ];
  for (const line of lines) tell.plain(line);
}
