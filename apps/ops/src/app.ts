import type { Database } from '@bookiji/db';
import type { FlagBoard } from '@bookiji/flags';
import type { Logger, Metrics } from '@bookiji/observability';
import { QUEUE_NAMES, type QueueSystem } from '@bookiji/queues';
import { answerHealth, type ReadinessCheck } from '@bookiji/runtime';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { renderConsole } from './console-page.ts';
import { sendError } from './errors.ts';
import type { Login } from './login.ts';
import { renderLogin } from './login-page.ts';
import { createDeadLetterRoutes } from './routes/dead-letters.ts';
import { createFlagRoutes } from './routes/flags.ts';
import { createMetricsRoutes, updateGauges } from './routes/metrics.ts';
import { isSameOrigin } from './same-origin.ts';

export interface OpsDeps {
  readonly db: Database;
  readonly flags: FlagBoard;
  readonly queues: QueueSystem;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly login: Login;
  readonly readiness: readonly ReadinessCheck[];
  readonly isSecure: boolean;
  readonly now: () => Date;
}

/** Where operators look and turn: Bull Board, metrics, flags, dead letters, the console. Everything behind the login. */
export function createOps(deps: OpsDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(setSecurityHeaders);
  app.use(answerHealthPaths(deps));
  app.use(refuseForeignChanges);
  app.post('/login', express.urlencoded({ extended: false, limit: '4kb' }), openSession(deps));
  app.get('/login', (_request, response) => void response.type('html').send(renderLogin(false)));
  app.use(requireLogin(deps));
  app.post('/logout', (_request, response) => {
    response.setHeader('set-cookie', deps.login.closed);
    response.redirect(303, '/login');
  });
  app.use('/queues', createBoard(deps.queues));
  app.use(express.json({ limit: '64kb' }));
  app.use('/api/ops/metrics/calendar', createMetricsRoutes(deps));
  app.use('/api/ops/flags', createFlagRoutes(deps.db, deps.flags));
  app.use('/api/ops/dead-letters', createDeadLetterRoutes(deps.db));
  app.get('/', async (_request, response) => void response.type('html').send(await renderConsole(deps)));
  app.use((_request, response) => sendError(response, 404, 'not_found', 'no such page'));
  app.use(answerFailure(deps.logger));
  return app;
}

const setSecurityHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('x-frame-options', 'DENY');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader(
    'content-security-policy',
    "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
  );
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

const refuseForeignChanges: RequestHandler = (request, response, next) => {
  const isRead = ['GET', 'HEAD', 'OPTIONS'].includes(request.method);
  const { origin, host } = request.headers;
  const fetchSite = request.get('sec-fetch-site');
  if (isRead || isSameOrigin({ origin, host, fetchSite })) return next();
  sendError(response, 403, 'foreign_origin', 'changes are taken from our own pages only');
};

function openSession(deps: OpsDeps): RequestHandler {
  return (request, response) => {
    const password = (request.body as { password?: unknown } | undefined)?.password;
    const cookie = deps.login.open(String(password ?? ''), deps.now().getTime() / 1000, deps.isSecure);
    if (cookie === null) {
      deps.logger.warn({ outcome: 'login_refused' }, 'login refused');
      response.status(401).type('html').send(renderLogin(true));
      return;
    }
    response.setHeader('set-cookie', cookie);
    response.redirect(303, '/');
  };
}

function requireLogin(deps: OpsDeps): RequestHandler {
  return (request, response, next) => {
    const { authorization, cookie } = request.headers;
    const actor = deps.login.identify({ authorization, cookie }, deps.now().getTime() / 1000);
    if (actor !== null) {
      response.locals.actor = actor;
      return next();
    }
    if (request.method === 'GET' && request.accepts(['json', 'html']) === 'html' && authorization === undefined) {
      return response.redirect(303, '/login');
    }
    response.setHeader('www-authenticate', 'Basic realm="calsync ops", charset="UTF-8"');
    sendError(response, 401, 'unauthorized', 'an ops token is needed');
  };
}

function createBoard(queues: QueueSystem): RequestHandler {
  const adapter = new ExpressAdapter();
  adapter.setBasePath('/queues');
  createBullBoard({
    queues: Object.values(QUEUE_NAMES).map((name) => new BullMQAdapter(queues.queue(name))),
    serverAdapter: adapter,
  });
  return adapter.getRouter() as RequestHandler;
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
