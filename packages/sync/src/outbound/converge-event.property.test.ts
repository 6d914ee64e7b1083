import type { EffectClaim } from '@bookiji/db';
import { ProviderError } from '@bookiji/providers/contract';
import { createFakeCalendar, type FakeFault } from '@bookiji/testing';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { convergeEvent } from './converge-event.ts';
import { creationKey } from './event-identity.ts';

const at = (hour: number) => new Date(Date.UTC(2026, 10, 24, hour));
const signal = new AbortController().signal;

/** How one call ends. `lose` does what was asked and answers nobody. */
const FAULTS: readonly (FakeFault | null)[] = [
  null,
  null,
  { lose: true },
  { refuse: { kind: 'rate_limited', reason: 'rateLimitExceeded', status: 429 } },
  { refuse: { kind: 'transient', reason: 'http_503', status: 503 } },
  { refuse: { kind: 'transient', reason: 'timeout', outcomeUnknown: true } },
  { refuse: { kind: 'conflict', reason: 'duplicate', status: 409 } },
  { refuse: { kind: 'conflict', reason: 'conditionNotMet', status: 412 } },
];
const FAULTS_AT_MOST = 12;

interface Attempt {
  readonly state: 'live' | 'cancelled';
  /** The worker dies after the calendar answered: nothing is recorded. */
  readonly diesBeforeRecord: boolean;
  readonly ownerRemoves: boolean;
}

const attempt: fc.Arbitrary<Attempt> = fc.record({
  state: fc.constantFrom('live', 'live', 'cancelled'),
  diesBeforeRecord: fc.boolean(),
  ownerRemoves: fc.constantFrom(false, false, false, true),
});

/** What the database holds of the effect; only what a claim shows and a record changes. */
interface Held {
  generation: number;
  creationKey: string | null;
  externalEventId: string | null;
  etag: string | null;
}

function claimOf(held: Held, version: number, state: 'live' | 'cancelled') {
  const effect = { bookingId: 'b', connectionId: 'c', ...held };
  const desired = { version, state, startAt: at(version), endAt: at(version + 1), details };
  return { effect, desired, providerId: 'p', calendarProvider: 'google' } as unknown as EffectClaim;
}
const details = { title: 't', time_zone: 'UTC' };

async function convergeOnce(
  calendar: ReturnType<typeof createFakeCalendar>,
  held: Held,
  want: { version: number; state: 'live' | 'cancelled'; diesBeforeRecord: boolean },
): Promise<boolean> {
  try {
    const result = await convergeEvent(claimOf(held, want.version, want.state), {
      port: calendar.port,
      signal,
      noteCreation: async (generation) => {
        const { googleEventId } = creationKey('b', 'c', generation);
        Object.assign(held, { generation, creationKey: googleEventId, externalEventId: null, etag: null });
      },
    });
    if (result.action === 'superseded' || want.diesBeforeRecord) return false;
    Object.assign(held, { generation: result.generation, externalEventId: result.eventId, etag: result.etag });
    return true;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return false;
  }
}

describe('[O-3] any list of versions, whatever each call answers and wherever the worker dies', () => {
  test('ends as one event at the newest version, or as none when it is cancelled', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(attempt, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(FAULTS.length - 1), { maxLength: FAULTS_AT_MOST }),
        async (attempts, faults) => {
          const calendar = createFakeCalendar();
          const held: Held = { generation: 0, creationKey: null, externalEventId: null, etag: null };
          const queue = [...faults];
          calendar.fault = () => FAULTS[queue.shift() ?? 0] ?? null;
          for (const [index, one] of attempts.entries()) {
            await convergeOnce(calendar, held, { version: index + 1, ...one });
            if (one.ownerRemoves) for (const { eventId } of calendar.live()) calendar.remove(eventId);
          }
          const version = attempts.length + 1;
          const state = attempts.at(-1)?.state ?? 'live';
          let rest = FAULTS_AT_MOST + 1;
          while (!(await convergeOnce(calendar, held, { version, state, diesBeforeRecord: false })) && rest > 0)
            rest -= 1;
          const live = calendar.live();
          expect(live.map(({ marker }) => marker?.version)).toEqual(state === 'live' ? [version] : []);
          expect(live[0]?.eventId ?? null).toBe(held.externalEventId);
          const written = calendar.history.filter((entry) => entry.version > 0).map((entry) => entry.version);
          expect(written).toEqual([...written].sort((a, b) => a - b));
        },
      ),
      { numRuns: 10_000 },
    );
  });
});
