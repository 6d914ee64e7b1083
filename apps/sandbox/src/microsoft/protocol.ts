/** Who may ask Graph, and how much. learn.microsoft.com/graph/throttling-limits. */
import type { Call, Caller, Protocol } from '../endpoint.ts';
import type { SandboxState } from '../state.ts';
import { accessDenied, refuse, tooMany, usualError } from './errors.ts';

export function graphProtocol(state: SandboxState): Protocol {
  const inFlight = new Map<string, number>();
  return {
    provider: 'microsoft',
    authenticate: (call) => authenticate(state, call),
    admit: (caller) => {
      const mailbox = `${caller.grant.clientId} ${caller.grant.email}`;
      spendQuota(state, mailbox);
      return takeSlot(state, inFlight, mailbox);
    },
    faultAnswer: (order) => usualError(order.status, order.reason),
    latencyMs: () => state.settings.microsoft.latency_ms,
  };
}

function authenticate(state: SandboxState, call: Call): Caller {
  const token = /^Bearer (.+)$/i.exec(call.header('authorization') ?? '')?.[1];
  if (token === undefined) throw refuse(401, 'InvalidAuthenticationToken', 'Access token is empty.');
  const held = state.grants.readAccessToken(token);
  const account =
    typeof held === 'string' || held.grant.provider !== 'microsoft'
      ? undefined
      : state.directory.find('microsoft', held.grant.email);
  if (typeof held === 'string' || account === undefined) {
    const words = held === 'expired' ? 'Lifetime validation failed, the token is expired.' : 'Invalid access token.';
    throw refuse(401, 'InvalidAuthenticationToken', words);
  }
  return { account, grant: held.grant, scopes: held.scopes };
}

/** 10,000 requests in ten minutes for one application and one mailbox; refused ones count too. */
function spendQuota(state: SandboxState, mailbox: string): void {
  const most = state.settings.microsoft.mailbox_requests_per_10_minutes;
  if (most === null) return;
  if (state.microsoftQuota.add(mailbox, state.clock.now()) > most) {
    throw tooMany('Application is over its request limit.', 10);
  }
}

/** Four requests at once for one application and one mailbox. */
function takeSlot(state: SandboxState, inFlight: Map<string, number>, mailbox: string): () => void {
  const most = state.settings.microsoft.mailbox_concurrency;
  const now = (inFlight.get(mailbox) ?? 0) + 1;
  if (most !== null && now > most) throw tooMany('Application is over its MailboxConcurrency limit.', 1);
  inFlight.set(mailbox, now);
  return () => void inFlight.set(mailbox, (inFlight.get(mailbox) ?? 1) - 1);
}

/** Which of the scopes open which door. */
const SCOPES = {
  profile: ['User.Read', 'User.ReadWrite'],
  settings: ['MailboxSettings.Read', 'MailboxSettings.ReadWrite'],
  basic: ['Calendars.ReadBasic', 'Calendars.Read', 'Calendars.ReadWrite'],
  read: ['Calendars.Read', 'Calendars.ReadWrite'],
  write: ['Calendars.ReadWrite'],
} as const;

export function needScope(caller: Caller, door: keyof typeof SCOPES): void {
  const held = new Set([...caller.scopes].map((scope) => shortScope(scope).toLowerCase()));
  if (SCOPES[door].some((name) => held.has(name.toLowerCase()))) return;
  if (door === 'profile') {
    throw refuse(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  }
  throw accessDenied();
}

const PREFIX = 'https://graph.microsoft.com/';

/** `Calendars.Read` of `https://graph.microsoft.com/Calendars.Read`. */
export function shortScope(scope: string): string {
  return scope.startsWith(PREFIX) ? scope.slice(PREFIX.length) : scope;
}

export function longScope(scope: string): string {
  return `${PREFIX}${shortScope(scope)}`;
}
