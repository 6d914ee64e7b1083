/** Puts the sandbox together: one HTTP server that is both providers, their authorization servers, the admin API and the page. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { adminRoutes } from './admin/routes.ts';
import { googleOAuthRoutes } from './google/oauth.ts';
import { googleCalendarRoutes } from './google/routes.ts';
import { microsoftLoginRoutes } from './microsoft/login.ts';
import { graphRoutes } from './microsoft/routes.ts';
import { pageRoutes } from './page/routes.ts';
import { processRoutes } from './process-routes.ts';
import type { PartialSettings } from './settings.ts';
import { createState, type SandboxState } from './state.ts';

export interface SandboxOptions {
  /** Quotas, lives, sizes; see `settings.ts`. */
  readonly settings?: PartialSettings;
  /** The machine's clock, milliseconds. */
  readonly now?: () => number;
}

export interface Sandbox {
  readonly app: Express;
  readonly state: SandboxState;
  /** @param port 0 for any free one. @returns the address to reach it under, without a slash at its end. */
  listen(port?: number, host?: string): Promise<{ url: string; port: number }>;
  close(): Promise<void>;
}

export function createSandbox(options: SandboxOptions = {}): Sandbox {
  const state = createState(options);
  const app = createApp(state);
  let server: Server | null = null;
  return {
    app,
    state,
    async listen(port = 0, host = '127.0.0.1') {
      server = createServer(app);
      // Clients keep their connections; the usual five seconds would end them between two requests of a quiet test.
      server.keepAliveTimeout = 65_000;
      await new Promise<void>((resolve, reject) => {
        server?.once('error', reject);
        server?.listen(port, host, resolve);
      });
      const bound = (server.address() as AddressInfo).port;
      return { url: `http://${host}:${bound}`, port: bound };
    },
    async close() {
      state.notificationFaults.clear();
      state.batches.clear();
      state.courier.close();
      const closing = server;
      if (closing === null) return;
      closing.closeAllConnections();
      await new Promise<void>((resolve) => closing.close(() => resolve()));
    },
  };
}

function createApp(state: SandboxState): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(express.text({ type: () => true, limit: '8mb' }));
  app.use(processRoutes(state));
  app.use('/calendar/v3', googleCalendarRoutes(state));
  app.use(googleOAuthRoutes(state));
  app.use('/v1.0', graphRoutes(state));
  app.use(microsoftLoginRoutes(state));
  app.use('/sandbox', adminRoutes(state));
  app.use(pageRoutes(state));
  return app;
}
