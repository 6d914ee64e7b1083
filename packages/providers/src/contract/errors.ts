import type { CalendarProvider } from './calendar-provider.ts';

/**
 * Every way a calendar provider can fail, named once at the adapter's edge. Above it a status is shown, and otherwise asked
 * only whether there is one: then the provider answered, else the refusal is our own. The one number known there is 401,
 * after which the token policy repeats a call.
 */
export const ERROR_KINDS = [
  'auth_revoked',
  'rate_limited',
  'cursor_expired',
  'not_found',
  'conflict',
  'transient',
  'permanent',
] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/** What was asked of the calendar provider; the same answer means different things for different operations. */
export const OPERATIONS = [
  'list_changes',
  'get_event',
  'find_event',
  'create_event',
  'update_event',
  'delete_event',
  'describe_calendar',
  'open_channel',
  'renew_channel',
  'close_channel',
  'list_channels',
  'exchange_code',
  'refresh_token',
  'revoke_token',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/**
 * Reasons that say nothing of a calendar, a booking or the calendar provider's health: our OAuth client is not known any more,
 * the API is switched off in our own project, no key of ours opens the tokens. Operators mend them.
 */
export const OURS_TO_MEND: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'deleted_client',
  'disabled_client',
  'accessNotConfigured',
  'SERVICE_DISABLED',
  'token_unreadable',
]);

export interface ProviderErrorFacts {
  readonly kind: ErrorKind;
  readonly calendarProvider: CalendarProvider;
  readonly operation: Operation;
  /** HTTP status; null when no answer came. */
  readonly status: number | null;
  /**
   * The provider's own word for it (`rateLimitExceeded`, `syncStateNotFound`), or ours for what has none
   * (`timeout`, `connection_reset`, `breaker_open`, `unknown_403`). Stable; safe to log, store and label with.
   */
  readonly reason: string;
  /** For `rate_limited` and `transient`: not before this many milliseconds; null when the provider did not say. */
  readonly retryAfterMs: number | null;
  /** The provider's request id, for its support; null when none was sent. */
  readonly requestId: string | null;
  /**
   * False when the answer proves that nothing was done; true when the write may have happened (lost answer, timeout,
   * 5xx) and a read must settle it.
   */
  readonly outcomeUnknown: boolean;
}

/** The only error that leaves an adapter. Match on `kind`; the message is for people and holds no personal data. */
export class ProviderError extends Error {
  readonly kind: ErrorKind;
  readonly calendarProvider: CalendarProvider;
  readonly operation: Operation;
  readonly status: number | null;
  readonly reason: string;
  readonly retryAfterMs: number | null;
  readonly requestId: string | null;
  readonly outcomeUnknown: boolean;

  constructor(facts: ProviderErrorFacts, options?: { cause?: unknown }) {
    super(
      `${facts.calendarProvider} ${facts.operation}: ${facts.reason} (${facts.kind}, ${facts.status ?? 'no answer'})`,
      options,
    );
    this.name = 'ProviderError';
    this.kind = facts.kind;
    this.calendarProvider = facts.calendarProvider;
    this.operation = facts.operation;
    this.status = facts.status;
    this.reason = facts.reason;
    this.retryAfterMs = facts.retryAfterMs;
    this.requestId = facts.requestId;
    this.outcomeUnknown = facts.outcomeUnknown;
  }
}
