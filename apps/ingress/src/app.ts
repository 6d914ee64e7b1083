import { classifyFailure } from '@bookiji/db';
import { CALENDAR_PROVIDERS } from '@bookiji/providers/contract';
import { answerHealth, HEALTH_PATHS, nameRequest } from '@bookiji/runtime';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { requireApiToken } from './api-auth.ts';
import type { IngressDeps } from './deps.ts';
import { sendError } from './errors.ts';
import { createAvailability } from './routes/availability.ts';
import { createBookingEvents } from './routes/booking-events.ts';
import { createConnectLinks } from './routes/connect-links.ts';
import { createDisconnect, createListConnections } from './routes/connections.ts';
import { createGoogleNotifications } from './routes/google-notifications.ts';
import { createManualSync } from './routes/manual-sync.ts';
import { createMicrosoftNotifications } from './routes/microsoft-notifications.ts';
import { createOAuthCallback, createOAuthStart } from './routes/oauth.ts';

/** The thin door. Notifications come first and pass through nothing that they do not need. */
export function createIngress(deps: IngressDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(setRequestId);
  app.post('/api/webhooks/calendar/google', createGoogleNotifications(deps));
  app.post('/api/webhooks/calendar/microsoft', createMicrosoftNotifications(deps));
  app.use(answerHealthPaths(deps));
  app.use(setSecurityHeaders);

  // Whatever type it is said to be, and `null` too: what is wrong with a body is for its route to say.
  const readJson = express.json({ limit: '256kb', type: () => true, strict: false });
  const authenticated = [requireApiToken(deps.apiTokens, deps.limits), readJson];
  app.post('/api/calendar/sync', authenticated, createManualSync(deps));
  app.post('/api/calendar/booking-events', authenticated, createBookingEvents(deps));
  app.post('/api/calendar/connect-links', authenticated, createConnectLinks(deps));
  app.post('/api/calendar/availability', authenticated, createAvailability(deps));
  app.get('/api/calendar/connections', authenticated, createListConnections(deps));
  app.delete('/api/calendar/connections/:id', authenticated, createDisconnect(deps));
  for (const calendarProvider of CALENDAR_PROVIDERS) {
    app.get(`/api/auth/${calendarProvider}/calendar`, createOAuthStart(deps, calendarProvider));
    app.get(`/api/auth/${calendarProvider}/calendar/callback`, createOAuthCallback(deps, calendarProvider));
  }

  app.use(refuseMethod);
  app.use((_request, response) => sendError(response, 404, 'not_found', 'there is nothing at this path'));
  app.use(answerFailure(deps));
  return app;
}

const setRequestId: RequestHandler = (request, response, next) => {
  const id = nameRequest(request.headers['x-request-id']);
  response.locals.requestId = id;
  response.setHeader('x-request-id', id);
  next();
};

const setSecurityHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cache-control', 'no-store');
  response.setHeader(
    'content-security-policy',
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  );
  next();
};

function answerHealthPaths(deps: IngressDeps): RequestHandler {
  return async (request, response, next) => {
    // Express leaves the body out of an answer to HEAD by itself.
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const answer = await answerHealth(request.path, {
      readiness: deps.readiness,
      metrics: async () => ({
        contentType: deps.metrics.registry.contentType,
        text: await deps.metrics.registry.metrics(),
      }),
    });
    if (answer === null) return next();
    response.status(answer.status).type(answer.contentType).send(answer.body);
  };
}

const ONE_METHOD: readonly [RegExp, string][] = [
  [/^\/api\/webhooks\/calendar\/(google|microsoft)$/, 'POST'],
  [/^\/api\/calendar\/(sync|booking-events|connect-links|availability)$/, 'POST'],
  [/^\/api\/calendar\/connections$/, 'GET'],
  [/^\/api\/calendar\/connections\/[^/]+$/, 'DELETE'],
  [/^\/api\/auth\/(google|microsoft)\/calendar(\/callback)?$/, 'GET'],
  [new RegExp(`^(${HEALTH_PATHS.join('|')})$`), 'GET'],
];

const refuseMethod: RequestHandler = (request, response, next) => {
  const known = ONE_METHOD.find(([path]) => path.test(request.path));
  if (known === undefined) return next();
  response.setHeader('allow', known[1]);
  sendError(response, 405, 'method_not_allowed', `this path takes ${known[1]}`);
};

function answerFailure(deps: IngressDeps): ErrorRequestHandler {
  return (error: { status?: unknown; type?: unknown }, request, response, next) => {
    if (response.headersSent) return next(error);
    if (error.type === 'entity.too.large') return sendError(response, 413, 'body_too_large', 'the body is too large');
    if (error.status === 400 || error instanceof URIError)
      return sendError(response, 400, 'unreadable_request', 'the request could not be read');
    if (error.status === 415)
      return sendError(response, 415, 'unsupported_encoding', 'this encoding is not understood');
    const isStore = classifyFailure(error) === 'away';
    if (isStore) deps.metrics.storeErrors.inc({ store: 'database' });
    deps.logger.error({ request_id: response.locals.requestId, path: request.path, err: error }, 'request failed');
    if (isStore) response.setHeader('retry-after', '5');
    if (isStore) return sendError(response, 503, 'unavailable', 'the database does not answer; try again');
    sendError(response, 500, 'internal', 'something failed here');
  };
}
