/** Where operators look and turn. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openStores } from '@bookiji/fleet';
import { runProcess } from '@bookiji/runtime';
import { createOps } from './app.ts';
import { readConfig } from './config.ts';
import { createLogin } from './login.ts';

await runProcess({
  role: 'ops',
  async start(context) {
    const settings = readConfig(process.env);
    const stores = await openStores(context, 'ops', settings, 5);
    const { database, flags, logger, metrics, queues, readiness } = stores;
    const app = createOps({
      db: database.db,
      flags,
      queues,
      metrics,
      logger,
      readiness,
      login: createLogin(settings.OPS_TOKENS),
      isSecure: settings.PUBLIC_BASE_URL.startsWith('https:'),
      now: () => new Date(),
    });
    const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, app);
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
