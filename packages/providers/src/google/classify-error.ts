import { type ErrorKind, type Operation, type ProviderErrorFacts, readRetryAfter } from '../contract/index.ts';
import { findKnownReason } from './error-reasons.ts';

/** One failed call to Google Calendar. `status` is null when no answer came; then `reason` says why. */
export interface GoogleFailure {
  readonly operation: Operation;
  readonly status: number | null;
  /** Google's words for it, as the body lists them; empty when there are none. */
  readonly reasons: readonly string[];
  /** The parameter or header that Google found fault with. */
  readonly location: string | null;
  /** The body has Google's form. A 404 or 410 of anything else on the way is no proof that an event is gone. */
  readonly isGoogles: boolean;
  /** The `Retry-After` header as sent. Google documents none; proxies and tests send it. */
  readonly retryAfter: string | null;
  readonly requestId: string | null;
  /** Ours, for a failure without a word of Google's: `timeout`, `unreadable_answer`. */
  readonly reason: string | null;
  /** The request may have reached Google. Only asked when no answer came. */
  readonly wasSent: boolean;
}

interface Name {
  readonly kind: ErrorKind;
  readonly reason: string;
}

const WRITES: ReadonlySet<Operation> = new Set([
  'create_event',
  'update_event',
  'delete_event',
  'open_channel',
  'close_channel',
]);

/**
 * Names a failure. Pure; the table stands in classify-error.test.ts.
 *
 * By operation and by word: 410 is a lost sync token for the feed and an event that is gone for all else, and 403 is a
 * limit as often as a refusal. What nothing here knows is `transient` as `unknown_<status>`.
 *
 * A refused access token is `auth_revoked`/`authError` with status 401, which the token policy answers with one refresh
 * and one repeat before it counts.
 */
export function classifyError(failure: GoogleFailure, now: Date): ProviderErrorFacts {
  const { kind, reason } = nameFailure(failure);
  const mayWait = kind === 'rate_limited' || kind === 'transient';
  return {
    kind,
    calendarProvider: 'google',
    operation: failure.operation,
    status: failure.status,
    reason,
    retryAfterMs: mayWait ? readRetryAfter(failure.retryAfter, now) : null,
    requestId: failure.requestId,
    outcomeUnknown: isOutcomeUnknown(failure, kind),
  };
}

function nameFailure(failure: GoogleFailure): Name {
  const { status, operation } = failure;
  if (status === null) return { kind: 'transient', reason: failure.reason ?? 'no_answer' };
  if (failure.reason !== null) return { kind: 'transient', reason: failure.reason };
  if (status >= 500) return nameServerFailure(failure, status);
  // Before the words: Google has more than one word for a limit, and for a token it will not take.
  if (status === 429) return { kind: 'rate_limited', reason: wordOf(failure) ?? 'rateLimitExceeded' };
  const known = findKnownReason(failure.reasons);
  if (known !== null) return known;
  switch (status) {
    case 400:
      return nameBadRequest(failure);
    case 401:
      return { kind: 'auth_revoked', reason: wordOf(failure) ?? 'authError' };
    case 404:
      return failure.isGoogles ? { kind: 'not_found', reason: wordOf(failure) ?? 'notFound' } : unknown(status);
    case 409:
    case 412:
      return { kind: 'conflict', reason: wordOf(failure) ?? `http_${status}` };
    case 410:
      if (operation === 'list_changes') return { kind: 'cursor_expired', reason: wordOf(failure) ?? 'http_410' };
      return failure.isGoogles ? { kind: 'not_found', reason: wordOf(failure) ?? 'deleted' } : unknown(status);
    case 408:
      return { kind: 'transient', reason: 'http_408' };
    case 405:
    case 411:
    case 413:
    case 414:
    case 415:
      return { kind: 'permanent', reason: `http_${status}` };
    default:
      return unknown(status);
  }
}

/** Our own mistake, except where the place in the feed is what Google cannot read. */
function nameBadRequest(failure: GoogleFailure): Name {
  if (failure.operation === 'list_changes') {
    if (failure.location === 'syncToken') return { kind: 'cursor_expired', reason: 'invalidSyncToken' };
    // A page lives as long as its round: the next round starts from the cursor again.
    if (failure.location === 'pageToken') return { kind: 'transient', reason: 'invalidPageToken' };
  }
  return { kind: 'permanent', reason: wordOf(failure) ?? 'http_400' };
}

function nameServerFailure(failure: GoogleFailure, status: number): Name {
  if (status === 501) return { kind: 'permanent', reason: 'http_501' };
  const known = status === 500 || (status >= 502 && status <= 504);
  return known ? { kind: 'transient', reason: wordOf(failure) ?? `http_${status}` } : unknown(status);
}

function unknown(status: number): Name {
  return { kind: 'transient', reason: `unknown_${status}` };
}

function wordOf(failure: GoogleFailure): string | null {
  return failure.reasons[0] ?? null;
}

function isOutcomeUnknown({ operation, status, wasSent }: GoogleFailure, kind: ErrorKind): boolean {
  if (!WRITES.has(operation) || kind !== 'transient') return false;
  if (status === null) return wasSent;
  // A success that could not be read is an outcome that is not known either.
  return status >= 500 || status === 408 || status < 400;
}
