import type { ErrorKind, Operation, ProviderErrorFacts } from '../contract/index.ts';

/** What came back from Google, or why nothing did. */
export interface GoogleFailure {
  /** HTTP status; null when no answer came. */
  readonly status: number | null;
  /** `error.errors[].reason` of the body, or OAuth's `error`; empty when there is none. */
  readonly reasons: readonly string[];
  /** The `Retry-After` header. */
  readonly retryAfter: string | null;
  readonly requestId: string | null;
  /** The network's word when no answer came: ECONNRESET, timeout. */
  readonly networkCode: string | null;
}

const LIMIT_REASONS: ReadonlySet<string> = new Set([
  'rateLimitExceeded',
  'userRateLimitExceeded',
  'quotaExceeded',
  'dailyLimitExceeded',
  'calendarUsageLimitsExceeded',
  'variableTermLimitExceeded',
]);

/** Operations that change something at Google: when their answer is lost, only a read can tell what happened. */
const WRITES: ReadonlySet<Operation> = new Set([
  'create_event',
  'update_event',
  'delete_event',
  'open_channel',
  'close_channel',
]);

/**
 * Names a failure, once and for all. Pure; by operation, for Google answers 410 both for a stale sync token and for an
 * event already deleted, and 403 for limits as well as for refusals.
 * https://developers.google.com/workspace/calendar/api/guides/errors
 *
 * `auth_revoked` with reason `authError` is a refused access token: the token policy refreshes once before it counts.
 */
export function classifyError(
  operation: Operation,
  failure: GoogleFailure,
): Omit<ProviderErrorFacts, 'calendarProvider' | 'operation'> {
  const { status, retryAfter, requestId } = failure;
  const { kind, reason } = judge(operation, failure);
  const isUnanswered = status === null || status >= 500;
  return {
    kind,
    reason,
    status,
    requestId,
    retryAfterMs: kind === 'rate_limited' || kind === 'transient' ? parseRetryAfter(retryAfter) : null,
    outcomeUnknown: isUnanswered && WRITES.has(operation),
  };
}

function judge(operation: Operation, failure: GoogleFailure): { kind: ErrorKind; reason: string } {
  const { status, reasons } = failure;
  const reason = reasons[0] ?? null;
  if (status === null) return { kind: 'transient', reason: failure.networkCode ?? 'no_answer' };
  if (operation === 'refresh_token' || operation === 'exchange_code' || operation === 'revoke_token') {
    return judgeToken(operation, status, reason);
  }
  if (reasons.some((one) => LIMIT_REASONS.has(one)))
    return { kind: 'rate_limited', reason: reason ?? 'rateLimitExceeded' };
  switch (status) {
    case 400:
      return { kind: 'permanent', reason: reason ?? 'badRequest' };
    case 401:
      return { kind: 'auth_revoked', reason: reason ?? 'authError' };
    case 403:
      return judgeForbidden(reason);
    case 404:
      return { kind: 'not_found', reason: reason ?? 'notFound' };
    case 409:
      return { kind: 'conflict', reason: reason ?? 'duplicate' };
    case 410:
      if (operation === 'list_changes') return { kind: 'cursor_expired', reason: reason ?? 'fullSyncRequired' };
      return { kind: 'not_found', reason: reason ?? 'deleted' };
    case 412:
      return { kind: 'conflict', reason: reason ?? 'conditionNotMet' };
    case 429:
      return { kind: 'rate_limited', reason: reason ?? 'rateLimitExceeded' };
    default:
      if (status >= 500) return { kind: 'transient', reason: reason ?? `http_${status}` };
      return { kind: 'transient', reason: `unknown_${status}` };
  }
}

function judgeForbidden(reason: string | null): { kind: ErrorKind; reason: string } {
  if (reason === 'insufficientPermissions' || reason === 'ACCESS_TOKEN_SCOPE_INSUFFICIENT')
    return { kind: 'auth_revoked', reason };
  // forbidden, forbiddenForNonOrganizer, pushNotSupportedForRequestedResource and the like: asking again changes nothing.
  return reason === null ? { kind: 'transient', reason: 'unknown_403' } : { kind: 'permanent', reason };
}

function judgeToken(operation: Operation, status: number, reason: string | null): { kind: ErrorKind; reason: string } {
  if (status >= 500) return { kind: 'transient', reason: reason ?? `http_${status}` };
  if (status === 429) return { kind: 'rate_limited', reason: reason ?? 'rateLimitExceeded' };
  if (reason === 'invalid_grant' && operation === 'refresh_token') return { kind: 'auth_revoked', reason };
  if (reason === null) return { kind: 'transient', reason: `unknown_${status}` };
  return { kind: 'permanent', reason };
}

/** Seconds or an HTTP date; milliseconds from now, null when absent or unreadable. */
function parseRetryAfter(value: string | null): number | null {
  if (value === null || !/^\d+$/.test(value.trim())) return null;
  return Number(value) * 1000;
}
