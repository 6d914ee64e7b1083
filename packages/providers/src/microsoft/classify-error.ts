import { type ErrorKind, type Operation, type ProviderErrorFacts, readRetryAfter } from '../contract/index.ts';
import { findKnownCode } from './error-codes.ts';

/** One failed call to Graph. `status` is null when no answer came; then `reason` says why. */
export interface GraphFailure {
  readonly operation: Operation;
  readonly status: number | null;
  /** Codes of the error body, outermost first; empty when the body had none. */
  readonly codes: readonly string[];
  /** The `Retry-After` header as sent: seconds, or an HTTP date. */
  readonly retryAfter: string | null;
  readonly requestId: string | null;
  /** The address was a next or delta link that Graph itself had handed out. */
  readonly followedLink: boolean;
  /** Ours, for a failure without a code of Graph's: `timeout`, `connection_reset`. */
  readonly reason: string | null;
  /** The request may have reached Graph. Only asked when no answer came. */
  readonly wasSent: boolean;
}

const WRITES: ReadonlySet<Operation> = new Set([
  'create_event',
  'update_event',
  'delete_event',
  'open_channel',
  'renew_channel',
  'close_channel',
]);

/**
 * Names a failure. Pure.
 *
 * 429 and 401 are what they are whatever the body says; otherwise the innermost known code decides, then the status.
 * What neither knows is `transient` as `unknown_<status>`. See learn.microsoft.com/graph/errors.
 */
export function classifyError(failure: GraphFailure, now: Date): ProviderErrorFacts {
  const { kind, reason } = nameFailure(failure);
  const mayWait = kind === 'rate_limited' || kind === 'transient';
  return {
    kind,
    calendarProvider: 'microsoft',
    operation: failure.operation,
    status: failure.status,
    reason,
    retryAfterMs: mayWait ? readRetryAfter(failure.retryAfter, now) : null,
    requestId: failure.requestId,
    outcomeUnknown: isOutcomeUnknown(failure, kind),
  };
}

function nameFailure(failure: GraphFailure): { kind: ErrorKind; reason: string } {
  const { status, operation } = failure;
  if (status === null) return { kind: 'transient', reason: failure.reason ?? 'no_answer' };
  const known = findKnownCode(failure.codes);
  if (status === 429) return { kind: 'rate_limited', reason: known?.reason ?? 'http_429' };
  if (status === 401) return { kind: 'auth_revoked', reason: known?.reason ?? 'http_401' };
  if (operation === 'list_changes' && isCursorRefused(failure)) {
    return { kind: 'cursor_expired', reason: known?.reason ?? `http_${status}` };
  }
  if (known !== null) return { kind: kindFor(known.reason, known.kind, operation), reason: known.reason };
  const kind = kindOfStatus(status);
  if (kind !== null) return { kind, reason: failure.reason ?? `http_${status}` };
  return { kind: 'transient', reason: failure.reason ?? `unknown_${status}` };
}

/**
 * Whether the place in the feed is lost. Graph promises only "a 40X with a code such as `syncStateNotFound`", so a link
 * of its own that it now calls malformed or unknown is a lost place as well: the fresh round that follows either works
 * or names what is really wrong.
 */
function isCursorRefused({ status, codes, followedLink }: GraphFailure): boolean {
  const known = findKnownCode(codes);
  if (status === 410 || known?.kind === 'cursor_expired') return true;
  if (!followedLink) return false;
  if (status === 400) return known === null || known.kind === 'permanent';
  return status === 404 && known === null;
}

function kindFor(reason: string, kind: ErrorKind, operation: Operation): ErrorKind {
  // The handshake goes to our own ingress: it may just be restarting.
  if (operation === 'open_channel' && (reason === 'ValidationError' || reason === 'invalidRequest')) return 'transient';
  // A lost place means something in the feed only.
  if (kind === 'cursor_expired' && operation !== 'list_changes') return 'transient';
  return kind;
}

function kindOfStatus(status: number): ErrorKind | null {
  switch (status) {
    case 404:
    case 410:
      return 'not_found';
    case 409:
    case 412:
      return 'conflict';
    case 405:
    case 413:
    case 501:
      return 'permanent';
    case 509:
      return 'rate_limited';
    case 408:
    case 500:
    case 502:
    case 503:
    case 504:
      return 'transient';
    default:
      return null;
  }
}

function isOutcomeUnknown({ operation, status, wasSent }: GraphFailure, kind: ErrorKind): boolean {
  if (!WRITES.has(operation) || kind !== 'transient') return false;
  if (status === null) return wasSent;
  // A success that could not be read is an outcome that is not known either.
  return status >= 500 || status === 408 || status < 400;
}
