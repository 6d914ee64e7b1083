import type { AroundRequest, CalendarPort, CalendarProvider, OAuthPort, Operation } from '../contract/index.ts';
import type { Policy } from './policy.ts';

type PortMethod = Exclude<keyof CalendarPort, 'calendarProvider'>;
type OAuthMethod = 'exchangeCode' | 'refresh' | 'revoke' | 'identify';

/** The name of every method in errors, metrics and policies. All of them take their signal last. */
const PORT_OPERATIONS: Readonly<Record<PortMethod, Operation>> = {
  listChanges: 'list_changes',
  getEvent: 'get_event',
  findEvent: 'find_event',
  createEvent: 'create_event',
  updateEvent: 'update_event',
  deleteEvent: 'delete_event',
  openChannel: 'open_channel',
  renewChannel: 'renew_channel',
  closeChannel: 'close_channel',
  listChannels: 'list_channels',
};

/** The methods that ask the provider; the others only compute. */
const OAUTH_OPERATIONS: Readonly<Record<OAuthMethod, Operation>> = {
  exchangeCode: 'exchange_code',
  refresh: 'refresh_token',
  revoke: 'revoke_token',
  identify: 'describe_calendar',
};

/**
 * A port with policies around each of its methods; the first lies next to the provider, the last is what callers meet
 * first. Time and number are limited around each request instead: see `composeRequest`.
 *
 * What production puts here, from the provider outwards: token retry, breaker (it sees what is left after that).
 */
export function composePort(port: CalendarPort, ...policies: readonly Policy[]): CalendarPort {
  return wrapMethods(port, PORT_OPERATIONS, policies);
}

/**
 * Policies around each single request of a session, of which a method may make many: a large page of the feed must
 * neither share one time limit with everything that has to be read beside it, nor count as one call.
 *
 * The order that production uses, from the provider outwards: timeout, metrics (each request counts once), slots,
 * limiter.
 */
export function composeRequest(calendarProvider: CalendarProvider, ...policies: readonly Policy[]): AroundRequest {
  return <Answer>(operation: Operation, signal: AbortSignal, send: (signal: AbortSignal) => Promise<Answer>) =>
    runThrough(policies, calendarProvider, operation, signal, send) as Promise<Answer>;
}

/** Policies around each method of OAuth, all of which make one request at most. */
export function composeOAuth(port: OAuthPort, ...policies: readonly Policy[]): OAuthPort {
  return wrapMethods(port, OAUTH_OPERATIONS, policies);
}

type AnyMethod = (...parameters: readonly unknown[]) => Promise<unknown>;

function wrapMethods<P extends CalendarPort | OAuthPort>(
  port: P,
  operations: Readonly<Partial<Record<keyof P, Operation>>>,
  policies: readonly Policy[],
): P {
  const wrapped: Record<string, unknown> = { ...port };
  for (const [method, operation] of Object.entries(operations) as [string, Operation][]) {
    const inner = (port as unknown as Record<string, AnyMethod>)[method] as AnyMethod;
    wrapped[method] = (...parameters: readonly unknown[]) => {
      const signal = parameters.at(-1) as AbortSignal;
      const ask = (inward: AbortSignal) => inner.call(port, ...parameters.slice(0, -1), inward);
      return runThrough(policies, port.calendarProvider, operation, signal, ask);
    };
  }
  return wrapped as unknown as P;
}

function runThrough(
  policies: readonly Policy[],
  calendarProvider: CalendarProvider,
  operation: Operation,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<unknown>,
): Promise<unknown> {
  const chain = policies.reduce<(signal: AbortSignal) => Promise<unknown>>(
    (next, policy) => (outer) => policy({ calendarProvider, operation, signal: outer }, next),
    ask,
  );
  return chain(signal);
}
