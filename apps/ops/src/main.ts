/** Where operators look and turn. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFlagCeiling } from '@bookiji/flags';
import { openStores } from '@bookiji/fleet';
import { runProcess } from '@bookiji/runtime';
import { createLogin } from './access/login.ts';
import { createThrottle } from './access/throttle.ts';
import { createOps } from './app.ts';
import { readConfig } from './config.ts';
import { createLagWindow } from './fleet/lag-window.ts';
import { noteLags } from './fleet/routes.ts';

/** How often the lags are read for the fleet page. */
const LAG_READING_MS = 15_000;

await runProcess({
  role: 'ops',
  async start(context) {
    const settings = readConfig(process.env);
    const stores = await openStores(context, 'ops', settings, 5);
    const { database, flags, logger, metrics, queues, readiness } = stores;
    const deps = {
      db: database.db,
      flags,
      ceiling: readFlagCeiling(settings),
      queues,
      metrics,
      logger,
      readiness,
      login: createLogin(settings.OPS_TOKENS, settings.OPS_READ_ONLY_TOKENS),
      throttle: createThrottle(),
      lagWindow: createLagWindow(),
      isSecure: settings.PUBLIC_BASE_URL.startsWith('https:'),
      isReadOnly: settings.OPS_READ_ONLY === 'true',
      reconcileSeconds: settings.RECONCILE_INTERVAL_SECONDS,
      now: () => new Date(),
    };
    const readLags = () =>
      void noteLags(deps, deps.lagWindow).catch(() => metrics.storeErrors.inc({ store: 'database' }));
    const readings = setInterval(readLags, LAG_READING_MS);
    context.own({ name: 'lag readings', stop: async () => clearInterval(readings) });

    const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, createOps(deps));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(settings.OPS_PORT, resolve);
    });
    context.own({
      name: 'http',
      stop: async () => {
        server.closeIdleConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      },
    });
    logger.info({ port: (server.address() as AddressInfo).port }, 'ready');
  },
});
