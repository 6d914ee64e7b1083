import { ERROR_KINDS } from '@bookiji/providers/contract';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs, settleFailure } from './settle-failure.ts';

const backoff = fc
  .record({ baseSeconds: fc.integer({ min: 1, max: 600 }), maxSeconds: fc.integer({ min: 1, max: 86_400 }) })
  .filter(({ baseSeconds, maxSeconds }) => baseSeconds <= maxSeconds);
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const attempt = fc.integer({ min: 1, max: 2_000 });
const failure = fc.record({
  kind: fc.constantFrom(...ERROR_KINDS),
  operation: fc.constantFrom('list_changes' as const, 'create_event' as const),
  reason: fc.constantFrom('http_503', 'breaker_open', 'timeout'),
  retryAfterMs: fc.option(fc.integer({ min: 1, max: 3_600_000 })),
});

describe('[R-1] backoff', () => {
  test('lies between the base and the most, never shrinks with the attempts, and uses the whole span', () => {
    fc.assert(
      fc.property(attempt, backoff, random, (tries, settings, chance) => {
        const wait = backoffMs(tries, settings, chance);
        expect(Number.isInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(settings.baseSeconds * 1_000);
        expect(wait).toBeLessThanOrEqual(settings.maxSeconds * 1_000);
        expect(backoffMs(tries + 1, settings, chance)).toBeGreaterThanOrEqual(wait);
        expect(backoffMs(tries, settings, 0)).toBe(settings.baseSeconds * 1_000);
        const ceiling = Math.min(settings.maxSeconds, settings.baseSeconds * 2 ** Math.min(tries, 40)) * 1_000;
        expect(backoffMs(tries, settings, 1)).toBe(ceiling);
      }),
      { numRuns: 6_000 },
    );
  });
});

/** Nothing but calendars that were not found before. */
const missed = (times: number) => ({ kind: 'not_found', reason: 'some_reason', at: '', times });

describe('[R-1] the treatment of a failure', () => {
  test('waits at least as long as it was told, and less than twice as long unless backoff says more', () => {
    fc.assert(
      fc.property(failure, fc.nat(40), backoff, random, (error, errorCount, settings, chance) => {
        if (error.kind !== 'rate_limited' && error.kind !== 'transient') return;
        const { waitMs } = settleFailure(error, { errorCount, lastError: missed(errorCount) }, settings, chance);
        const told = error.retryAfterMs ?? 0;
        expect(waitMs).toBeGreaterThanOrEqual(told);
        expect(waitMs).toBeGreaterThan(0);
        expect(waitMs).toBeLessThanOrEqual(Math.max(told * 2, settings.maxSeconds * 1_000));
      }),
      { numRuns: 8_000 },
    );
  });

  test('spends an attempt unless the calendar asked for patience, gives up only what cannot succeed, parks only by name', () => {
    fc.assert(
      fc.property(failure, fc.nat(40), backoff, random, (error, errorCount, settings, chance) => {
        const settled = settleFailure(error, { errorCount, lastError: missed(errorCount) }, settings, chance);
        const isPatience =
          (error.kind === 'rate_limited' && (error.retryAfterMs ?? 0) > 0) ||
          (error.kind === 'transient' && error.reason === 'breaker_open');
        expect(settled.countsAsError).toBe(!isPatience);
        expect(settled.isFinal).toBe(error.kind === 'permanent');
        const parks = error.kind === 'auth_revoked' || (error.kind === 'not_found' && errorCount >= 2);
        expect(settled.park !== null).toBe(parks);
      }),
      { numRuns: 4_000 },
    );
  });
});
