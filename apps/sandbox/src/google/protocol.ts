/** Who may ask Google's Calendar API, and how much. developers.google.com/workspace/calendar/api/guides/quota. */
import type { Answer } from '../answer.ts';
import type { Call, Caller, Protocol } from '../endpoint.ts';
import type { FaultOrder } from '../faults.ts';
import type { SandboxState } from '../state.ts';
import { refuse, usualError } from './errors.ts';

export function calendarProtocol(state: SandboxState): Protocol {
  return {
    provider: 'google',
    authenticate: (call) => authenticate(state, call),
    admit: (caller) => {
      spendQuota(state, caller);
      return () => {};
    },
    faultAnswer: (order: FaultOrder & { status: number }): Answer => usualError(order.status, order.reason),
    latencyMs: () => state.settings.google.latency_ms,
  };
}

function authenticate(state: SandboxState, call: Call): Caller {
  const token = /^Bearer (.+)$/i.exec(call.header('authorization') ?? '')?.[1];
  if (token === undefined) {
    throw refuse(401, 'required', 'Login Required', { locationType: 'header', location: 'Authorization' });
  }
  const held = state.grants.readAccessToken(token);
  const account =
    typeof held === 'string' || held.grant.provider !== 'google'
      ? undefined
      : state.directory.find('google', held.grant.email);
  if (typeof held === 'string' || account === undefined) {
    throw refuse(401, 'authError', 'Invalid Credentials', { locationType: 'header', location: 'Authorization' });
  }
  return { account, grant: held.grant, scopes: held.scopes };
}

/** A sliding window per user and project, and one per project; a project is an OAuth client here. */
function spendQuota(state: SandboxState, caller: Caller): void {
  const { user_requests_per_minute: perUser, project_requests_per_minute: perProject } = state.settings.google;
  const { clientId, email } = caller.grant;
  const status = state.settings.google.quota_status;
  const now = state.clock.now();
  const usageLimits = { domain: 'usageLimits' };
  if (perProject !== null && state.googleQuota.add(clientId, now) > perProject) {
    throw refuse(status ?? 429, 'rateLimitExceeded', 'Rate Limit Exceeded', usageLimits);
  }
  if (perUser !== null && state.googleQuota.add(`${clientId} ${email}`, now) > perUser) {
    throw refuse(status ?? 403, 'userRateLimitExceeded', 'User Rate Limit Exceeded', usageLimits);
  }
}

const BASE = 'https://www.googleapis.com/auth/';

/** Which of the scopes open which door, in the short form of `https://www.googleapis.com/auth/…`. */
const SCOPES = {
  read: [
    'calendar',
    'calendar.readonly',
    'calendar.events',
    'calendar.events.readonly',
    'calendar.events.owned',
    'calendar.events.owned.readonly',
    'calendar.events.freebusy',
    'calendar.app.created',
    'calendar.events.public.readonly',
  ],
  write: ['calendar', 'calendar.events', 'calendar.events.owned', 'calendar.app.created'],
  calendar: [
    'calendar',
    'calendar.readonly',
    'calendar.calendars',
    'calendar.calendars.readonly',
    'calendar.app.created',
  ],
  calendarList: ['calendar', 'calendar.readonly', 'calendar.calendarlist', 'calendar.calendarlist.readonly'],
  freeBusy: ['calendar', 'calendar.readonly', 'calendar.freebusy', 'calendar.events.freebusy'],
} as const;

export function needScope(caller: Caller, door: keyof typeof SCOPES): void {
  if (SCOPES[door].some((name) => caller.scopes.has(`${BASE}${name}`))) return;
  throw refuse(403, 'insufficientPermissions', 'Request had insufficient authentication scopes.');
}
