/** What both notification routes share: refusing, counting, logging, and the answer when nothing could be stored. */
import { isUuid } from '@bookiji/db';
import type { CalendarProvider } from '@bookiji/providers/contract';
import type { Request, RequestHandler, Response } from 'express';
import type { IngressDeps } from '../deps.ts';
import { RequestRefusal, sendError } from '../errors.ts';

/** Why a request was refused, as its counter says it. */
const OUTCOMES: Readonly<Record<string, string>> = {
  webhooks_off: 'flag_off',
  body_too_large: 'too_large',
  invalid_json: 'unreadable',
  unreadable_body: 'unreadable',
  no_identifier: 'no_identifier',
  not_authentic: 'not_authentic',
  not_allowlisted: 'not_allowlisted',
  unknown_connection: 'unknown',
};

export function createWebhookRoute(
  deps: IngressDeps,
  calendarProvider: CalendarProvider,
  handle: (request: Request, response: Response) => Promise<void>,
): RequestHandler {
  const ack = deps.metrics.webhookAck.labels({ calendar_provider: calendarProvider });
  return async (request, response) => {
    const startedAt = performance.now();
    try {
      await handle(request, response);
    } catch (error) {
      answerRefusal(deps, calendarProvider, request, response, error);
    }
    ack.observe((performance.now() - startedAt) / 1000);
  };
}

/** What `response.json` comes to for a notification's sender, without asking for each what the app was set to. */
export function acknowledge(response: Response, body: Readonly<Record<string, unknown>>): void {
  const text = JSON.stringify(body);
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.end(text);
}

function answerRefusal(
  deps: IngressDeps,
  calendarProvider: CalendarProvider,
  request: Request,
  response: Response,
  error: unknown,
): void {
  const about = { calendar_provider: calendarProvider, request_id: response.locals.requestId };
  const count = notificationsOf(response);
  if (error instanceof RequestRefusal) {
    const outcome = OUTCOMES[error.code] ?? error.code;
    deps.metrics.webhooks.inc({ calendar_provider: calendarProvider, outcome }, count);
    deps.logger.warn(
      { ...about, outcome: 'rejected', reason: error.code, status: error.status },
      'notification rejected',
    );
    // A body that was not read to its end cannot be followed by another request.
    if (!request.complete) response.setHeader('connection', 'close');
    sendError(response, error.status, error.code, error.message);
    return;
  }
  // Not stored, so not acknowledged: the calendar provider comes again.
  deps.metrics.webhooks.inc({ calendar_provider: calendarProvider, outcome: 'unavailable' }, count);
  deps.metrics.storeErrors.inc({ store: 'database' });
  deps.logger.error({ ...about, outcome: 'unavailable', err: error }, 'notification could not be stored');
  response.setHeader('retry-after', '5');
  sendError(response, 503, 'unavailable', 'the notification could not be stored; send it again');
}

/** Says how many notifications the request brought, for when it is refused as a whole; one until then. */
export function noteNotifications(response: Response, count: number): void {
  response.locals.notificationCount = count;
}

function notificationsOf(response: Response): number {
  return Number(response.locals.notificationCount ?? 1);
}

function refuse(status: number, code: string, message: string): RequestRefusal {
  return new RequestRefusal(status, code, message);
}

export const refusals = {
  off: () => refuse(403, 'webhooks_off', 'notifications are switched off'),
  noIdentifier: () => refuse(400, 'no_identifier', 'the notification names no connection'),
  notAuthentic: () => refuse(401, 'not_authentic', 'the notification could not be proven genuine'),
  notAllowlisted: () => refuse(403, 'not_allowlisted', 'this connection is not on the allowlist'),
  unknown: () => refuse(404, 'unknown_connection', 'there is no such connection'),
} as const;

/** An id that no connection can have stands on no list and is nowhere: the statement that judges takes UUIDs alone. */
export function refuseStrangeId(deps: IngressDeps, connectionId: string): void {
  if (isUuid(connectionId)) return;
  throw deps.flags.allows({ connectionId }) ? refusals.unknown() : refusals.notAllowlisted();
}
