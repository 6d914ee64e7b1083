/** `GET /api/auth/{google,microsoft}/calendar` and its callback: the way to the consent page, and back. */
import { useConnectLink } from '@bookiji/db';
import { type CalendarProvider, ProviderError } from '@bookiji/providers/contract';
import { ringInboundSyncs, ringOutboundSyncs, ringRetry } from '@bookiji/queues';
import {
  type ConnectClaims,
  codeChallengeOf,
  connectProvider,
  createOAuthState,
  isSameSecret,
  LINK_SECONDS,
  type OAuthState,
  readClaims,
  signClaims,
} from '@bookiji/sync';
import type { Request, RequestHandler, Response } from 'express';
import type { IngressDeps } from '../deps.ts';
import { RequestRefusal, sendError } from '../errors.ts';
import { mayAnybodyConnect, mayConnect } from '../may-connect.ts';
import { renderPage } from '../page.ts';
import { refuse } from '../rate-limits.ts';

const COOKIE = 'calsync_oauth';
const EXCHANGE_WAIT_MS = 15_000;

/** `GET /api/auth/{google,microsoft}/calendar?token=`. */
export function createOAuthStart(deps: IngressDeps, calendarProvider: CalendarProvider): RequestHandler {
  return async (request, response) => {
    if (!mayAnybodyConnect(deps, response)) return;
    // Who only asks for the head, as scanners of mail do, does not use the link up.
    if (request.method === 'HEAD') return void response.status(204).end();
    const claims = readClaims<ConnectClaims>(
      'connect-link',
      String(request.query.token ?? ''),
      deps.channelSecrets,
      seconds(deps),
    );
    if (claims === null || claims.calendarProvider !== calendarProvider) {
      const message = 'this link is not valid, or its time is over; ask for a new one';
      return refuse(deps.limits, { request, response }, new RequestRefusal(400, 'invalid_link', message));
    }
    if (!mayConnect(deps, claims.providerId, response)) return;
    if (!(await useConnectLink(deps.db, claims.linkId, new Date(claims.expiresAt * 1000)))) {
      return sendError(response, 410, 'link_used', 'this link was used before; ask for a new one');
    }
    const state = createOAuthState({ ...claims, expiresAt: Math.floor(seconds(deps)) + LINK_SECONDS });
    setCookie(deps, response, calendarProvider, signClaims('oauth-state', state, deps.channelSecrets), LINK_SECONDS);
    const url = deps.oauth[calendarProvider].authorizationUrl({
      state: state.nonce,
      codeChallenge: codeChallengeOf(state.codeVerifier),
      redirectUri: redirectUri(deps, calendarProvider),
    });
    response.redirect(302, url);
  };
}

/** `GET /api/auth/{google,microsoft}/calendar/callback`. */
export function createOAuthCallback(deps: IngressDeps, calendarProvider: CalendarProvider): RequestHandler {
  return async (request, response) => {
    if (!mayAnybodyConnect(deps, response)) return;
    const state = readState(deps, request, calendarProvider);
    // The cookie stays: a strange link that was opened meanwhile must not end somebody's own way to the consent page.
    if (state === null) return sendFailure(response, 400, 'foreign_state');
    setCookie(deps, response, calendarProvider, '', 0);
    if (!mayConnect(deps, state.providerId, response)) return;
    const { code, error } = request.query;
    if (typeof code !== 'string' || typeof error === 'string') return sendFailure(response, 400, 'not_granted');
    await connect(deps, state, code, response);
  };
}

async function connect(deps: IngressDeps, state: OAuthState, code: string, response: Response): Promise<void> {
  const { providerId, calendarProvider, codeVerifier } = state;
  const base = { provider_id: providerId, calendar_provider: calendarProvider };
  try {
    const outcome = await connectProvider(
      { db: deps.db, keys: deps.keys, oauth: deps.oauth[calendarProvider] },
      { providerId, calendarProvider, code, codeVerifier, redirectUri: redirectUri(deps, calendarProvider) },
      AbortSignal.timeout(EXCHANGE_WAIT_MS),
    );
    if (outcome.outcome === 'scopes_missing') {
      deps.logger.warn({ ...base, outcome: 'scopes_missing' }, 'connect refused');
      return sendFailure(response, 400, 'scopes_missing');
    }
    const { connectionId, bookingIds } = outcome;
    deps.logger.info({ ...base, connection_id: connectionId, outcome: 'connected' }, 'calendar connected');
    await ringEverything(deps, connectionId, bookingIds);
    if (state.returnTo !== null) return response.redirect(302, state.returnTo);
    response
      .type('html')
      .send(renderPage('Calendar connected', 'Your calendar is connected. You can close this page.'));
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    deps.logger.warn({ ...base, outcome: 'failed', err: error }, 'connect failed');
    const isOurs = error.kind === 'transient' || error.kind === 'rate_limited';
    sendFailure(response, isOurs ? 502 : 400, 'connect_failed');
  }
}

/** The channel, the first sync and the bookings that wait; whatever ring is lost, a sweep finds the work. */
async function ringEverything(deps: IngressDeps, connectionId: string, bookingIds: readonly string[]): Promise<void> {
  const effects = bookingIds.map((id) => ({ booking_id: id, connection_id: connectionId }));
  const rings = [
    ringRetry(deps.queues, [{ task: 'keep_channel', connection_id: connectionId }]),
    ringInboundSyncs(deps.queues, [connectionId]),
    ringOutboundSyncs(deps.queues, effects),
  ];
  for (const ring of await Promise.allSettled(rings)) if (ring.status === 'rejected') deps.metrics.ringsLost.inc();
}

/** The state of this very browser: its cookie, and in the URL the nonce that only it was given. */
function readState(deps: IngressDeps, request: Request, calendarProvider: CalendarProvider): OAuthState | null {
  const cookie = (request.headers.cookie ?? '')
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${COOKIE}=`));
  if (cookie === undefined || typeof request.query.state !== 'string') return null;
  const state = readClaims<OAuthState>(
    'oauth-state',
    cookie.slice(COOKIE.length + 1),
    deps.channelSecrets,
    seconds(deps),
  );
  if (state === null || state.calendarProvider !== calendarProvider) return null;
  return isSameSecret(state.nonce, request.query.state) ? state : null;
}

/** One per calendar provider, so that a person may be on both ways at once. */
function setCookie(
  deps: IngressDeps,
  response: Response,
  calendarProvider: CalendarProvider,
  value: string,
  maxAge: number,
): void {
  const secure = deps.publicBaseUrl.startsWith('https:') ? '; Secure' : '';
  response.setHeader(
    'set-cookie',
    `${COOKIE}=${value}; Path=/api/auth/${calendarProvider}; HttpOnly; SameSite=Lax; Max-Age=${maxAge}${secure}`,
  );
}

const FAILURES = {
  foreign_state: 'this page was not reached from a link that was opened in this browser',
  not_granted: 'access to the calendar was not granted',
  scopes_missing: 'access to the calendar was left unticked; connect again and leave it ticked',
  connect_failed: 'the calendar could not be connected; ask for a new link and try again',
} as const;

function sendFailure(response: Response, status: number, code: keyof typeof FAILURES): void {
  sendError(response, status, code, FAILURES[code]);
}

function redirectUri(deps: IngressDeps, calendarProvider: CalendarProvider): string {
  return `${deps.publicBaseUrl}/api/auth/${calendarProvider}/calendar/callback`;
}

function seconds(deps: IngressDeps): number {
  return deps.now().getTime() / 1000;
}
