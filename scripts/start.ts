/** `npm start`: embedded database, sandbox calendars and the whole fleet; plays the main job, then stays up. */
import { createWriteStream } from 'node:fs';
import { join, relative } from 'node:path';
import type { LocalFleet } from '@bookiji/local-fleet';
import { startDatabase } from '@bookiji/local-fleet/database';
import { describeFailure } from '@bookiji/runtime';
import { createTeller } from './demo/teller.ts';

// The server wakes up while the product is being loaded, and the product's processes while the demo is.
const early = startDatabase(process.env);
early.catch(() => undefined);
const local = await import('@bookiji/local-fleet');
const { LOCAL_ROLES, ROOT, STATE_DIR } = local;

const LOG = join(STATE_DIR, 'fleet.log');
const tell = createTeller();
let stop = async (): Promise<void> => (await early.catch(() => null))?.stop();
let isStopping = false;

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
  await local.checkPorts(process.env, local.LOCAL_PORT_VARIABLES);
  const fleet = await startEverything();
  const { playLife, playStory } = await import('./demo/index.ts');
  await fleet.ready();
  tell.step(`fleet is up: ${LOCAL_ROLES.join(', ')}; queues on ${process.env.REDIS_URL ? 'Redis' : 'PostgreSQL'}`);
  await playStory(fleet, tell);
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
