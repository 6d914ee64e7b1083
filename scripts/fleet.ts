/** `npm run fleet`: ingress, three workers and ops from the environment; restarts what dies, ends together. */
import {
  checkPorts,
  checkSettings,
  FLEET_ROLES,
  nameCheckout,
  prepareDatabase,
  ROOT,
  readCheckout,
  startFleet,
} from '@bookiji/local-fleet';
import { describeFailure } from '@bookiji/runtime';

try {
  checkSettings(process.env, FLEET_ROLES);
  await checkPorts(process.env, FLEET_ROLES);
  const database = await prepareDatabase(process.env);
  const checkout = readCheckout(ROOT);
  const fleet = startFleet(
    {
      ...(checkout === null ? {} : { CALSYNC_COMMIT: nameCheckout(checkout) }),
      ...process.env,
      ...database.doors,
      DATABASE_URL: database.url,
    },
    FLEET_ROLES,
    (role, line, stream) => {
      (stream === 'stderr' ? process.stderr : process.stdout).write(
        line.startsWith('{') ? `${line}\n` : `${role}: ${line}\n`,
      );
    },
  );
  let isStopping = false;
  const stop = async () => {
    if (isStopping) return;
    isStopping = true;
    await fleet.stop();
    await database.embedded?.stop();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop());
} catch (error) {
  process.stderr.write(
    `fleet: ${error instanceof Error && error.name === 'Error' ? error.message : describeFailure(error)}\n`,
  );
  process.exit(1);
}
