import type { Change, EventChange } from '@bookiji/providers/contract';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type FoldedPage, foldChanges, type OwnEvent } from './fold-changes.ts';

const at = (hour: number) => new Date(Date.UTC(2026, 10, 24, hour));
const window = { startAt: at(10), endAt: at(20) };

/** As at both calendar providers, the id of an occurrence says which series it is of. */
const seriesOf = (eventId: string) => (eventId.includes('_') ? (eventId.split('_')[0] ?? null) : null);
const STRANGERS = ['a', 'b', 's_1', 's_2', 't_1'];
const OWN = ['own0', 'own1'];

const event = (ids: readonly string[]) =>
  fc
    .record({
      eventId: fc.constantFrom(...ids),
      from: fc.integer({ min: 6, max: 22 }),
      hours: fc.nat(6),
      blocks: fc.boolean(),
      etag: fc.option(fc.constantFrom('"1"', '"2"')),
    })
    .map(
      ({ eventId, from, hours, blocks, etag }): EventChange => ({
        kind: 'event',
        eventId,
        seriesId: seriesOf(eventId),
        icalUid: null,
        startAt: at(from),
        endAt: at(from + hours),
        blocks,
        etag,
        marker: null,
        creationKey: null,
      }),
    );
const tombstone = (ids: readonly string[]) =>
  fc.constantFrom(...ids).map((eventId): Change => ({ kind: 'tombstone', eventId, seriesId: seriesOf(eventId) }));
const reset = fc.constantFrom('s', 't').map((seriesId): Change => ({ kind: 'series_reset', seriesId }));
const page = (ids: readonly string[]) =>
  fc.array(fc.oneof({ weight: 4, arbitrary: event(ids) }, tombstone(ids), reset), { maxLength: 10 });

type Rows = ReadonlyMap<string, readonly [number, number]>;
const rows = fc
  .uniqueArray(fc.constantFrom(...STRANGERS, ...OWN), { maxLength: 5 })
  .map((ids): Rows => new Map(ids.map((id) => [id, [0, 1]])));

const own: OwnEvent = {
  bookingId: 'booking',
  externalEventId: 'own1',
  currentKey: 'own1',
  etag: '"1"',
  writtenStart: at(12),
  writtenEnd: at(13),
  desiredStart: at(12),
  desiredEnd: at(13),
  state: 'live',
  leaseHeld: false,
};
const owner = ({ eventId }: { eventId: string }) => (OWN.includes(eventId) ? own : null);
const fold = (changes: readonly Change[]) => foldChanges(changes, window, owner);

/** What storing a folded page does: series are emptied, ids dropped, then intervals put. */
function store(held: Rows, folded: FoldedPage): Rows {
  const next = new Map(held);
  for (const id of held.keys()) if (folded.resetSeriesIds.includes(seriesOf(id) ?? '')) next.delete(id);
  for (const id of folded.dropIds) next.delete(id);
  for (const { eventId, startAt, endAt } of folded.puts) next.set(eventId, [startAt.getTime(), endAt.getTime()]);
  return sorted(next);
}

/** The same said one item after the other: the meaning that folding has to keep. */
function replay(held: Rows, changes: readonly Change[]): Rows {
  const next = new Map(held);
  for (const change of changes) {
    if (change.kind === 'series_reset') {
      for (const id of [...next.keys()]) if (seriesOf(id) === change.seriesId) next.delete(id);
      continue;
    }
    next.delete(change.eventId);
    if (change.kind === 'tombstone' || !change.blocks || OWN.includes(change.eventId)) continue;
    const { startAt, endAt } = change;
    const isInside = startAt < endAt && startAt < window.endAt && endAt > window.startAt;
    if (isInside) next.set(change.eventId, [startAt.getTime(), endAt.getTime()]);
  }
  return sorted(next);
}

const sorted = (unsorted: Rows): Rows => new Map([...unsorted].sort(([a], [b]) => (a < b ? -1 : 1)));
const changes = page([...STRANGERS, ...OWN]);
const cases = { numRuns: 4_000 };

describe('[I-2] a folded page', () => {
  test('stores what its items say when they are taken one after the other', () => {
    fc.assert(
      fc.property(rows, changes, (held, items) => {
        expect(store(held, fold(items))).toEqual(replay(held, items));
      }),
      cases,
    );
  });

  test('stored twice, or told twice over, is the same as once', () => {
    fc.assert(
      fc.property(rows, changes, (held, items) => {
        const once = store(held, fold(items));
        expect(store(once, fold(items))).toEqual(once);
        expect(store(held, fold([...items, ...items]))).toEqual(once);
      }),
      cases,
    );
  });

  test('cut into two pages anywhere is the same as whole', () => {
    fc.assert(
      fc.property(rows, changes, fc.nat(10), (held, items, cut) => {
        const inPages = store(store(held, fold(items.slice(0, cut))), fold(items.slice(cut)));
        expect(inPages).toEqual(store(held, fold(items)));
      }),
      cases,
    );
  });

  test('does not depend on the order of items about different events', () => {
    const apart = fc.uniqueArray(fc.oneof(event(STRANGERS), tombstone(STRANGERS)), {
      selector: (item) => (item.kind === 'series_reset' ? '' : item.eventId),
      maxLength: 5,
    });
    fc.assert(
      fc.property(rows, apart, (held, items) => {
        expect(store(held, fold([...items].reverse()))).toEqual(store(held, fold(items)));
      }),
      cases,
    );
  });

  test("never takes a booking's own event for the owner's time, and never suspects without one", () => {
    fc.assert(
      fc.property(changes, (items) => {
        const folded = fold(items);
        expect(folded.puts.filter(({ eventId }) => OWN.includes(eventId))).toEqual([]);
        const isNamed = items.some((item) => item.kind !== 'series_reset' && OWN.includes(item.eventId));
        if (!isNamed) expect(folded.suspectBookingIds).toEqual([]);
      }),
      cases,
    );
  });
});

describe("[O-3] a booking's own event in the feed", () => {
  test('is suspect exactly when it is gone, of another generation, or shows other times under another etag', () => {
    fc.assert(
      fc.property(page(OWN), (items) => {
        const isSuspicious = (item: Change) => {
          if (item.kind === 'series_reset') return false;
          if (item.kind === 'tombstone') return item.eventId === 'own1';
          if (item.eventId === 'own0') return true;
          const isMoved = item.startAt.getTime() !== at(12).getTime() || item.endAt.getTime() !== at(13).getTime();
          return isMoved && item.etag !== '"1"';
        };
        expect(fold(items).suspectBookingIds).toEqual(items.some(isSuspicious) ? ['booking'] : []);
      }),
      cases,
    );
  });
});
