import type { LastError } from '@bookiji/db';
import { type ErrorKind, OURS_TO_MEND, type ProviderError } from '@bookiji/providers/contract';

export interface BackoffSettings {
  /** `BACKOFF_BASE_SECONDS`. */
  readonly baseSeconds: number;
  /** `BACKOFF_MAX_SECONDS`. */
  readonly maxSeconds: number;
}

/** What a failed attempt leaves behind; one treatment per kind, everywhere. */
export interface Settlement {
  readonly waitMs: number;
  /** False where the failure says nothing about this piece of work: no attempt is spent. */
  readonly countsAsError: boolean;
  /** Trying again cannot help. */
  readonly isFinal: boolean;
  readonly park: { readonly status: 'reauth_required' | 'disabled'; readonly reason: string } | null;
}

/** What is on record of the attempts before this one. */
export interface Attempts {
  /** Failed ones since the last that succeeded. */
  readonly errorCount: number;
  readonly lastError: LastError | null;
}

/** A calendar that is not found so many times in a row is given up: one such answer may be a passing one. */
const NOT_FOUND_AT_MOST = 3;
/** What operators mend for everybody at once is found mended soon after. */
const OURS_AT_MOST_MS = 600_000;
const PARK_REASONS: Readonly<Record<string, string>> = {
  auth_revoked: 'The calendar account no longer grants access. Connect the calendar again.',
  not_found: 'The calendar is gone or no longer shared with this account. Connect the calendar again.',
};

/**
 * The table of error kinds. Pure.
 *
 * @param random in [0, 1).
 */
export function settleFailure(
  error: Pick<ProviderError, 'kind' | 'operation' | 'reason' | 'retryAfterMs'>,
  attempts: Attempts,
  backoff: BackoffSettings,
  random: number,
): Settlement {
  const wait = backoffMs(attempts.errorCount + 1, backoff, random);
  const retryAfterMs = error.retryAfterMs ?? 0;
  switch (error.kind) {
    case 'auth_revoked':
      return { waitMs: 0, countsAsError: true, isFinal: false, park: parkFor('reauth_required', 'auth_revoked') };
    case 'rate_limited':
      // Who is told no time waits longer each time; who is told a time keeps to it, and nothing failed.
      return retryAfterMs === 0
        ? { ...waiting, waitMs: backoffMs(countLimited(attempts), backoff, random) }
        : { ...waiting, waitMs: spread(retryAfterMs, random), countsAsError: false };
    case 'transient':
      if (OURS_TO_MEND.has(error.reason)) return { ...waiting, waitMs: Math.min(wait, OURS_AT_MOST_MS) };
      if (error.reason === 'breaker_open')
        return { ...waiting, waitMs: spread(retryAfterMs || 1_000, random), countsAsError: false };
      return { ...waiting, waitMs: Math.max(wait, spread(retryAfterMs, random)) };
    case 'not_found':
      return {
        ...waiting,
        waitMs: wait,
        park: countNotFound(attempts) >= NOT_FOUND_AT_MOST ? parkFor('disabled', 'not_found') : null,
      };
    case 'permanent':
      return { ...waiting, waitMs: wait, isFinal: true };
    case 'conflict':
    case 'cursor_expired':
      return { ...waiting, waitMs: wait };
  }
}

const waiting = { countsAsError: true, isFinal: false, park: null } as const;

function countNotFound(attempts: Attempts): number {
  return countInARow(attempts, ({ kind }) => kind === 'not_found');
}

/** How often in a row a limit named no time, this time included; those that named one, ours among them, are passed over. */
function countLimited(attempts: Attempts): number {
  return limitedBefore(attempts) + 1;
}

function limitedBefore({ lastError }: Attempts): number {
  return lastError?.kind === 'rate_limited' ? (lastError.times ?? 0) : 0;
}

/** How often in a row, this time included: what failed before for other reasons says nothing. */
export function countInARow({ errorCount, lastError }: Attempts, isSame: (error: LastError) => boolean): number {
  const before = lastError !== null && isSame(lastError) ? (lastError.times ?? 1) : 0;
  return Math.min(before, errorCount) + 1;
}

/** How a connection is parked after a failure of this kind: its status, and the reason in words for its owner. */
export function parkFor(status: 'reauth_required' | 'disabled', kind: ErrorKind): NonNullable<Settlement['park']> {
  return { status, reason: PARK_REASONS[kind] ?? kind };
}

/** Adds up to half as much again, at random, so that work that was put off together does not come back together. */
function spread(ms: number, random: number): number {
  return Math.ceil(ms * (1 + random / 2));
}

/**
 * Exponential backoff with jitter: evenly spread between the base and base × 2^attempt, both at most the maximum.
 *
 * @param attempt 1 for the first failure.
 * @returns milliseconds.
 */
export function backoffMs(attempt: number, backoff: BackoffSettings, random: number): number {
  const floor = Math.min(backoff.baseSeconds, backoff.maxSeconds) * 1_000;
  const ceiling = Math.min(backoff.maxSeconds, backoff.baseSeconds * 2 ** Math.min(attempt, 30)) * 1_000;
  return Math.round(floor + random * (ceiling - floor));
}

/** The failure as it is stored and shown: words and ids of the provider, no content. */
export function toLastError(
  error: Pick<ProviderError, 'kind' | 'reason' | 'requestId' | 'status' | 'retryAfterMs'>,
  attempts: Attempts,
  now: Date,
): LastError {
  return {
    kind: error.kind,
    reason: error.reason,
    at: now.toISOString(),
    ...(error.requestId === null ? {} : { request_id: error.requestId }),
    ...(error.status === null ? {} : { status: error.status }),
    ...(isWaitAskedFor(error) ? { retry_after: true } : {}),
    ...(error.kind === 'not_found' ? { times: countNotFound(attempts) } : {}),
    ...(error.kind === 'rate_limited' ? timesOfLimit(error, attempts) : {}),
  };
}

function timesOfLimit({ retryAfterMs }: Pick<ProviderError, 'retryAfterMs'>, attempts: Attempts): { times?: number } {
  const times = (retryAfterMs ?? 0) > 0 ? limitedBefore(attempts) : countLimited(attempts);
  return times === 0 ? {} : { times };
}

/**
 * Whether the calendar provider itself said how long to stay away: in this answer, or in one a moment ago, whose pause the
 * limiter keeps. All other refusals without an answer are ours, and so is the wait after a limit that names no time.
 */
function isWaitAskedFor({
  kind,
  reason,
  status,
  retryAfterMs,
}: Pick<ProviderError, 'kind' | 'reason' | 'status' | 'retryAfterMs'>): boolean {
  return kind === 'rate_limited' && (retryAfterMs ?? 0) > 0 && (status !== null || reason === 'connection_paused');
}
