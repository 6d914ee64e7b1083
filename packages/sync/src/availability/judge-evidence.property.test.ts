import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judgeEvidence } from './judge-evidence.ts';

const now = Date.UTC(2026, 10, 24, 12);
const at = (seconds: number) => new Date(now + seconds * 1000);
const maybe = fc.option(fc.integer({ min: -120, max: 120 }).map(at), { freq: 6 });

const connection = fc.record({
  id: fc.constant('c'),
  status: fc.constantFrom(
    'active' as const,
    'active' as const,
    'active' as const,
    'reauth_required' as const,
    'disabled' as const,
  ),
  syncEnabled: fc.constantFrom(true, true, true, false),
  lastSyncedAt: fc.option(fc.integer({ min: -120, max: 0 }).map(at), { freq: 8 }),
  syncWindowStart: maybe,
  syncWindowEnd: maybe,
  backoffUntil: maybe,
  hasDoubts: fc.constantFrom(false, false, false, true),
});
const span = fc
  .tuple(fc.integer({ min: -100, max: 90 }), fc.nat(30))
  .map(([from, length]) => ({ startAt: at(from), endAt: at(from + length) }));
const age = fc.nat(120);

describe('[I-3] evidence', () => {
  test('is fresh exactly when nothing speaks against it', () => {
    fc.assert(
      fc.property(connection, span, age, (held, slot, maxAge) => {
        const { lastSyncedAt, syncWindowStart, syncWindowEnd } = held;
        const isSound =
          held.status === 'active' &&
          held.syncEnabled &&
          lastSyncedAt !== null &&
          now - lastSyncedAt.getTime() <= maxAge * 1000 &&
          syncWindowStart !== null &&
          syncWindowEnd !== null &&
          syncWindowStart <= slot.startAt &&
          slot.endAt <= syncWindowEnd &&
          !held.hasDoubts;
        const evidence = judgeEvidence(held, slot, maxAge, at(0));
        expect(evidence.isFresh).toBe(isSound);
        expect(evidence.reason === 'fresh').toBe(isSound);
      }),
      { numRuns: 8_000 },
    );
  });

  test('never becomes fresh by waiting, by asking for more, or by being stricter', () => {
    fc.assert(
      fc.property(connection, span, age, fc.nat(60), (held, slot, maxAge, more) => {
        if (judgeEvidence(held, slot, maxAge, at(0)).isFresh) return;
        const wider = { startAt: new Date(slot.startAt.getTime() - more * 1000), endAt: slot.endAt };
        expect(judgeEvidence(held, slot, maxAge, at(more)).isFresh).toBe(false);
        expect(judgeEvidence(held, wider, maxAge, at(0)).isFresh).toBe(false);
        expect(judgeEvidence(held, slot, maxAge - more, at(0)).isFresh).toBe(false);
      }),
      { numRuns: 4_000 },
    );
  });
});
