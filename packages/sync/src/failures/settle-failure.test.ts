import type { ErrorKind } from '@bookiji/providers/contract';
import { describe, expect, test } from '@jest/globals';
import { backoffMs, type Settlement, settleFailure, toLastError } from './settle-failure.ts';

const backoff = { baseSeconds: 300, maxSeconds: 21_600 };
const failure = (kind: ErrorKind, over: { retryAfterMs?: number; reason?: string } = {}) =>
  ({ kind, operation: 'list_changes', reason: 'some_reason', retryAfterMs: null, ...over }) as const;

const first = { errorCount: 0, lastError: null };
/** So many failures, the last `times` of them of this kind. */
const after = (errorCount: number, kind: ErrorKind, times?: number) => ({
  errorCount,
  lastError: { kind, reason: 'some_reason', at: '', ...(times === undefined ? {} : { times }) },
});

const counted: Settlement = { waitMs: 300_000, countsAsError: true, isFinal: false, park: null };
const REVOKED = 'The calendar account no longer grants access. Connect the calendar again.';
const FIRST_FAILURES: Readonly<Record<ErrorKind, Settlement>> = {
  auth_revoked: { ...counted, waitMs: 0, park: { status: 'reauth_required', reason: REVOKED } },
  rate_limited: counted,
  cursor_expired: counted,
  not_found: counted,
  conflict: counted,
  transient: counted,
  permanent: { ...counted, isFinal: true },
};

describe('settleFailure', () => {
  test.each(Object.entries(FIRST_FAILURES) as [ErrorKind, Settlement][])(
    '[R-3] [I-5] a first %s is settled as its kind asks',
    (kind, settled) => {
      expect(settleFailure(failure(kind), first, backoff, 0)).toEqual(settled);
    },
  );

  test('[R-1] a rate limit waits as long as it was told, or longer, and spends no attempt', () => {
    for (const random of [0, 0.5, 0.999]) {
      const settled = settleFailure(
        failure('rate_limited', { retryAfterMs: 120_000 }),
        after(3, 'transient'),
        backoff,
        random,
      );
      expect(settled.waitMs).toBeGreaterThanOrEqual(120_000);
      expect(settled.waitMs).toBeLessThanOrEqual(180_000);
      expect(settled.countsAsError).toBe(false);
    }
  });

  test('[R-1] [I-5] a rate limit that names no time counts, so that each wait may be longer than the one before', () => {
    const waits = [undefined, 1, 2, 3].map((times) => {
      const before = times === undefined ? first : after(0, 'rate_limited', times);
      const settled = settleFailure(failure('rate_limited'), before, backoff, 1);
      expect(settled.countsAsError).toBe(true);
      return settled.waitMs;
    });
    expect(waits).toEqual([600_000, 1_200_000, 2_400_000, 4_800_000]);
    // What failed before for other reasons is no limit.
    expect(settleFailure(failure('rate_limited'), after(9, 'transient'), backoff, 1).waitMs).toBe(600_000);
    const limited = { ...failure('rate_limited'), requestId: null, status: 429 };
    expect(toLastError(limited, after(0, 'rate_limited', 3), new Date())).toMatchObject({ times: 4 });
    // Limits that name a time, ours among them, are no reason to wait longer for one that does not.
    const ours = { ...failure('rate_limited', { retryAfterMs: 1_000 }), requestId: null, status: null };
    expect(toLastError(ours, first, new Date())).not.toHaveProperty('times');
    expect(toLastError(ours, after(0, 'rate_limited', 3), new Date())).toMatchObject({ times: 3 });
    expect(settleFailure(failure('rate_limited'), after(0, 'rate_limited'), backoff, 1).waitMs).toBe(600_000);
  });

  test.each(['invalid_client', 'accessNotConfigured', 'token_unreadable'])(
    '[R-1] %s is ours to mend: it counts, and is never waited for long',
    (reason) => {
      const settled = settleFailure(failure('transient', { reason }), after(20, 'transient'), backoff, 1);
      expect(settled).toEqual({ ...counted, waitMs: 600_000 });
    },
  );

  test('[R-1] an open breaker spends no attempt', () => {
    const settled = settleFailure(
      failure('transient', { reason: 'breaker_open', retryAfterMs: 10_000 }),
      first,
      backoff,
      0,
    );
    expect(settled).toMatchObject({ countsAsError: false, waitMs: 10_000 });
  });

  test('[R-1] a wait is never shorter than Retry-After', () => {
    const settled = settleFailure(failure('transient', { retryAfterMs: 900_000 }), first, backoff, 0);
    expect(settled.waitMs).toBe(900_000);
  });

  test('[R-1] a calendar that is not found is given up only after it was missed three times in a row', () => {
    const parkAfter = (...before: Parameters<typeof after>) =>
      settleFailure(failure('not_found'), after(...before), backoff, 0).park;
    expect(parkAfter(1, 'not_found', 1)).toBeNull();
    expect(parkAfter(2, 'not_found', 2)).toMatchObject({ status: 'disabled' });
    // What failed before for other reasons says nothing of the calendar, however often.
    expect(parkAfter(29, 'transient')).toBeNull();
    // It was found since: the count of failures began anew.
    expect(parkAfter(0, 'not_found', 2)).toBeNull();
    const third = { ...failure('not_found'), requestId: null, status: 404 };
    expect(toLastError(third, after(2, 'not_found', 2), new Date())).toMatchObject({ times: 3 });
  });
});

describe('toLastError', () => {
  const now = new Date();
  const limit = { kind: 'rate_limited', reason: 'quota', requestId: null, status: 429, retryAfterMs: 60_000 } as const;

  test.each([
    ['was said in an answer', limit],
    ['was said in an answer to the call before', { ...limit, reason: 'connection_paused', status: null }],
  ])('[R-1] says of a limit that the calendar provider asked for the wait where it %s', (_, error) => {
    expect(toLastError(error, first, now)).toMatchObject({ kind: 'rate_limited', retry_after: true });
  });

  test.each([
    ['without Retry-After', { ...limit, retryAfterMs: null }],
    ['of the queue before a mailbox', { ...limit, reason: 'mailbox_busy', status: null }],
    ['of our own limiter', { ...limit, reason: 'limiter_full', status: null }],
    ['of a token that is being refreshed', { ...limit, reason: 'refresh_under_way', status: null }],
    ['that is an outage', { ...limit, kind: 'transient' as const, status: 503 }],
  ])('[I-4] leaves the wait after a failure %s to us, so that a person may end it', (_, error) => {
    expect(toLastError(error, first, now)).not.toHaveProperty('retry_after');
  });
});

describe('backoffMs', () => {
  test('[I-5] grows from the base to the most, jittered in between', () => {
    expect(backoffMs(1, backoff, 0)).toBe(300_000);
    expect(backoffMs(1, backoff, 1)).toBe(600_000);
    expect(backoffMs(3, backoff, 1)).toBe(2_400_000);
    expect(backoffMs(500, backoff, 1)).toBe(21_600_000);
  });
});
