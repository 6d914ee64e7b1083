import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type DesiredEvent, type KnownEvent, planWrite } from './plan-write.ts';

const at = (second: number, ms = 0) => new Date(Date.UTC(2026, 10, 24, 9, 0, second, ms));
/** Within a minute of each other, and further apart. */
const start = fc.constantFrom(0, 1, 59, 60);
const end = fc.constantFrom(600, 659, 660).map((second) => at(second));
const desired: fc.Arbitrary<DesiredEvent> = fc.record({
  state: fc.constantFrom('live' as const, 'cancelled' as const),
  version: fc.integer({ min: 1, max: 4 }),
  startAt: fc.tuple(start, fc.constantFrom(0, 500)).map(([second, ms]) => at(second, ms)),
  endAt: end,
});
const etag = fc.option(fc.constantFrom('"1"', '"2"'));
const marker = fc.option(
  fc.record({
    bookingId: fc.constant('b'),
    connectionId: fc.constant('c'),
    generation: fc.nat(2),
    version: fc.integer({ min: 1, max: 5 }),
  }),
);
const read = fc.record({
  eventId: fc.constantFrom('e', 'f'),
  seriesId: fc.constantFrom(null, 'e', 'f', 's'),
  creationKey: fc.constant(null),
  etag,
  startAt: start.map((second) => at(second)),
  endAt: end,
  marker,
});
const known: fc.Arbitrary<KnownEvent> = fc.oneof(
  fc.constantFrom<KnownEvent>(
    { state: 'never_written' },
    { state: 'unclear' },
    { state: 'key_burnt' },
    { state: 'absent' },
  ),
  fc.record({ state: fc.constant('written' as const), eventId: fc.constantFrom('e', 'f'), etag }),
  fc.record({ state: fc.constant('read' as const), event: read }),
);
const cases = { numRuns: 6_000 };
const isWholeSeries = (state: KnownEvent) => state.state === 'read' && state.event.seriesId === state.event.eventId;
const targetOf = (state: KnownEvent) =>
  state.state === 'written' ? state : state.state === 'read' ? state.event : null;

describe('[O-3] every plan', () => {
  test('leaves alone what is newer, and gives way to nothing else', () => {
    fc.assert(
      fc.property(desired, known, (want, state) => {
        const isLate = state.state === 'read' && (state.event.marker?.version ?? 0) > want.version;
        expect(planWrite(want, state).action === 'superseded').toBe(isLate);
      }),
      cases,
    );
  });

  test('creates only where no event can be, and in the next generation exactly when the key is taken', () => {
    fc.assert(
      fc.property(desired, known, (want, state) => {
        const plan = planWrite(want, state);
        if (plan.action !== 'create') return;
        expect(want.state).toBe('live');
        if (!isWholeSeries(state)) expect(['never_written', 'absent', 'key_burnt']).toContain(state.state);
        expect(plan.nextGeneration).toBe(state.state === 'key_burnt' || isWholeSeries(state));
      }),
      cases,
    );
  });

  test('changes or removes only the event it knows, against the etag it knows it by', () => {
    fc.assert(
      fc.property(desired, known, (want, state) => {
        const plan = planWrite(want, state);
        if (plan.action !== 'update' && plan.action !== 'delete') return;
        const target = targetOf(state);
        expect({ eventId: plan.eventId, etag: plan.etag }).toEqual({ eventId: target?.eventId, etag: target?.etag });
        expect(plan.action).toBe(want.state === 'live' ? 'update' : 'delete');
      }),
      cases,
    );
  });

  test("never changes, removes or adopts a whole series: it is its owner's", () => {
    fc.assert(
      fc.property(desired, known, (want, state) => {
        if (!isWholeSeries(state)) return;
        expect(['create', 'none', 'superseded']).toContain(planWrite(want, state).action);
      }),
      cases,
    );
  });

  test('reads before it writes whatever is unclear', () => {
    fc.assert(
      fc.property(desired, (want) => {
        expect(planWrite(want, { state: 'unclear' })).toEqual({ action: 'find' });
      }),
    );
  });

  test('stops only when the calendar shows what is wanted', () => {
    fc.assert(
      fc.property(desired, known, (want, state) => {
        const plan = planWrite(want, state);
        if (plan.action === 'none') {
          expect(want.state).toBe('cancelled');
          expect(isWholeSeries(state) || targetOf(state) === null).toBe(true);
        }
        if (plan.action !== 'adopt') return;
        const isOff = (shown: Date, meant: Date | null) =>
          Math.abs(shown.getTime() - (meant?.getTime() ?? 0)) >= 60_000;
        expect(want.state).toBe('live');
        expect(plan.event.marker?.version).toBe(want.version);
        expect([isOff(plan.event.startAt, want.startAt), isOff(plan.event.endAt, want.endAt)]).toEqual([false, false]);
      }),
      cases,
    );
  });
});
