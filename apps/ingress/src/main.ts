/** Proves notifications genuine, records them, rings, answers; and speaks HTTP with the booking service. */
import type { AddressInfo } from 'node:net';
import { recordDeliveries } from '@bookiji/db';
import { openOAuthBy, openStores } from '@bookiji/fleet';
import { traceRequests } from '@bookiji/observability';
import { createProviderEdges } from '@bookiji/providers/adapters';
import { ringInboundSyncs } from '@bookiji/queues';
import { runProcess } from '@bookiji/runtime';
import { createIngress } from './app.ts';
import { readConfig } from './config.ts';
import { createIntake } from './intake.ts';
import { openIntakeSessions } from './intake-session.ts';
import { createRateLimits } from './rate-limits.ts';
import { createIngressServer } from './server.ts';
import { shapesOf } from './shapes.ts';

await runProcess({
  role: 'ingress',
  async start(context) {
    const settings = readConfig(process.env);
    const stores = await openStores(context, 'ingress', settings, 7);
    const { database, flags, logger, metrics, queues, readiness } = stores;
    const sessions = await openIntakeSessions(settings.DATABASE_URL);
    context.own({ name: 'intake sessions', stop: () => sessions.close() });
    const intake = createIntake({
      sessions: sessions.all.map(
        ({ db }) =>
          (batch) =>
            recordDeliveries(db, batch, flags.allowlists),
      ),
      ring: (connectionIds) => ringInboundSyncs(queues, connectionIds),
      onRingLost: () => metrics.ringsLost.inc(),
    });
    const app = createIngress({
      db: database.db,
      flags,
      queues,
      intake,
      metrics,
      logger,
      readiness,
      oauth: openOAuthBy(settings, stores, createProviderEdges(settings)),
      keys: settings.TOKEN_ENCRYPTION_KEYS,
      channelSecrets: settings.CHANNEL_SECRETS,
      apiTokens: settings.API_TOKENS,
      limits: createRateLimits(settings.API_REQUESTS_PER_MINUTE),
      publicBaseUrl: settings.PUBLIC_BASE_URL,
      signingSecrets: {
        google: settings.GOOGLE_CALENDAR_WEBHOOK_SECRET ?? null,
        microsoft: settings.MICROSOFT_CALENDAR_WEBHOOK_SECRET ?? null,
      },
      defaultMaxAgeSeconds: 3 * settings.RECONCILE_INTERVAL_SECONDS,
      now: () => new Date(),
    });
    const server = createIngressServer(
      traceRequests(app),
      (reason) => logger.warn({ outcome: 'rejected', reason }, 'request refused'),
      { shapes: shapesOf(app) },
    );
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(settings.INGRESS_PORT, resolve);
    });
    context.own({ name: 'intake', stop: () => intake.drain() });
    context.own({
      name: 'http',
      stop: async () => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        server.closeIdleConnections();
        await closed;
      },
    });
    logger.info({ port: (server.address() as AddressInfo).port }, 'ready');
  },
});
