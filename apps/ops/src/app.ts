import { fileURLToPath } from 'node:url';
import type { Logger } from '@bookiji/observability';
import { answerHealth, nameRequest } from '@bookiji/runtime';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { setSecurityHeaders } from './access/security-headers.ts';
import { createLoginRoutes, refuseChangesOfReaders, refuseForeignChanges, requireLogin } from './access/session.ts';
import { createDeadLetterApi } from './api/dead-letters.ts';
import { createFlagApi } from './api/flags.ts';
import { createMetricsApi, updateGauges } from './api/metrics.ts';
import { createSwitchApi } from './api/switches.ts';
import { serveVendors } from './assets.ts';
import { createBoard } from './board/bull-board.ts';
import { createConnectionPages } from './connections/routes.ts';
import { createDeadLetterPages } from './dead-letters/routes.ts';
import type { OpsDeps } from './deps.ts';
import { sendError } from './errors.ts';
import { createFleetPage } from './fleet/routes.ts';
import { createRunbookPages } from './runbooks/routes.ts';
import { createSwitchPages } from './switches/routes.ts';

const ASSETS = fileURLToPath(new URL('../assets/', import.meta.url));

/** Where operators look and turn: the console, Bull Board, metrics, flags, dead letters. Everything behind the login. */
export function createOps(deps: OpsDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(setRequestId);
  app.use(setSecurityHeaders(deps.isSecure));
  app.use(answerHealthPaths(deps));
  app.use('/assets', express.static(ASSETS, { index: false, maxAge: '5m' }), serveVendors());
  app.use(refuseForeignChanges);
  app.use('/login', createLoginRoutes(deps));
  app.use(requireLogin(deps));
  app.use(refuseChangesOfReaders);
  app.post('/logout', (_request, response) => {
    response.setHeader('set-cookie', deps.login.closed);
    response.redirect(303, '/login');
  });
  app.use('/queues', createBoard(deps));
  app.use('/api/ops', express.json({ limit: '64kb' }), createApi(deps));
  app.use(express.urlencoded({ extended: false, limit: '8kb' }));
  app.use('/connections', createConnectionPages(deps));
  app.use('/dead-letters', createDeadLetterPages(deps));
  app.use('/switches', createSwitchPages(deps));
  app.use('/runbooks', createRunbookPages());
  app.use('/', createFleetPage(deps));
  app.use((_request, response) => sendError(response, 404, 'not_found', 'no such page'));
  app.use(answerFailure(deps.logger));
  return app;
}

function createApi(deps: OpsDeps): express.Router {
  const api = express.Router();
  api.use('/metrics/calendar', createMetricsApi(deps));
  api.use('/flags', createFlagApi(deps));
  api.use('/switches', createSwitchApi(deps));
  api.use('/dead-letters', createDeadLetterApi(deps.db));
  return api;
}

const setRequestId: RequestHandler = (request, response, next) => {
  response.setHeader('x-request-id', nameRequest(request.headers['x-request-id']));
  next();
};

function answerHealthPaths(deps: OpsDeps): RequestHandler {
  return async (request, response, next) => {
    const answer = await answerHealth(request.path, {
      readiness: deps.readiness,
      metrics: async () => {
        await updateGauges(deps).catch(() => deps.metrics.storeErrors.inc({ store: 'database' }));
        return { contentType: deps.metrics.registry.contentType, text: await deps.metrics.registry.metrics() };
      },
    });
    if (answer === null) return next();
    response.status(answer.status).type(answer.contentType).send(answer.body);
  };
}

function answerFailure(logger: Logger): ErrorRequestHandler {
  return (error: { status?: unknown; type?: unknown }, _request, response, next) => {
    if (response.headersSent) return next(error);
    if (error.status === 400 || error.status === 413) {
      return sendError(response, error.status, 'invalid_body', 'the body could not be read');
    }
    logger.error({ err: error }, 'request failed');
    sendError(response, 500, 'internal', 'something failed here; the log says what');
  };
}
