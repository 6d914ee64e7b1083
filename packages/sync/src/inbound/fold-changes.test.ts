import type { Change, EventChange } from '@bookiji/providers/contract';
import { describe, expect, test } from '@jest/globals';
import { foldChanges, type OwnEvent } from './fold-changes.ts';

const window = { startAt: new Date('2026-11-20T00:00:00Z'), endAt: new Date('2027-02-20T00:00:00Z') };
const nobody = () => null;

function event(eventId: string, over: Partial<EventChange> = {}): EventChange {
  return {
    kind: 'event',
    eventId,
    seriesId: null,
    icalUid: null,
    startAt: new Date('2026-11-24T09:00:00Z'),
    endAt: new Date('2026-11-24T10:00:00Z'),
    blocks: true,
    etag: '"1"',
    marker: null,
    creationKey: null,
    ...over,
  };
}

const written: OwnEvent = {
  bookingId: 'b1',
  externalEventId: 'own1',
  currentKey: 'own1',
  etag: '"1"',
  writtenStart: new Date('2026-11-24T09:00:00Z'),
  writtenEnd: new Date('2026-11-24T10:00:00Z'),
  desiredStart: new Date('2026-11-24T09:00:00Z'),
  desiredEnd: new Date('2026-11-24T12:00:00Z'),
  state: 'live',
  leaseHeld: false,
};
const ownedBy = (own: OwnEvent) => () => own;
const ids = (folded: ReturnType<typeof foldChanges>) => folded.puts.map((put) => put.eventId);

describe('events of the provider', () => {
  test('[I-2] an event that blocks is put, one that does not is dropped', () => {
    const folded = foldChanges([event('a'), event('b', { blocks: false })], window, nobody);
    expect(ids(folded)).toEqual(['a']);
    expect(folded.dropIds).toEqual(['b']);
  });

  test('[I-2] an event that straddles an edge of the window is kept with its full start and end', () => {
    const startAt = new Date('2026-11-19T22:00:00Z');
    const endAt = new Date('2026-11-20T00:00:01Z');
    const [put] = foldChanges([event('a', { startAt, endAt })], window, nobody).puts;
    expect(put).toMatchObject({ startAt, endAt });
  });

  test.each([
    ['ends when the window starts', '2026-11-19T22:00:00Z', '2026-11-20T00:00:00Z'],
    ['starts when the window ends', '2027-02-20T00:00:00Z', '2027-02-20T01:00:00Z'],
    ['has no length', '2026-11-24T09:00:00Z', '2026-11-24T09:00:00Z'],
  ])('[I-3] an event that %s is dropped, so that a row held for it goes', (_, start, end) => {
    const folded = foldChanges([event('a', { startAt: new Date(start), endAt: new Date(end) })], window, nobody);
    expect(folded).toMatchObject({ puts: [], dropIds: ['a'] });
  });

  test('the later item about one event wins', () => {
    const gone: Change = { kind: 'tombstone', eventId: 'a', seriesId: null };
    expect(foldChanges([event('a'), gone], window, nobody)).toMatchObject({ puts: [], dropIds: ['a'] });
    expect(foldChanges([gone, event('a')], window, nobody)).toMatchObject({ dropIds: [], resetSeriesIds: [] });
    expect(ids(foldChanges([gone, event('a')], window, nobody))).toEqual(['a']);
  });

  test('a series reset voids what stood before it for that series and nothing else', () => {
    const changes: Change[] = [
      event('s_1', { seriesId: 's' }),
      event('t_1', { seriesId: 't' }),
      { kind: 'series_reset', seriesId: 's' },
      event('s_2', { seriesId: 's' }),
    ];
    const folded = foldChanges(changes, window, nobody);
    expect(ids(folded)).toEqual(['t_1', 's_2']);
    expect(folded.resetSeriesIds).toEqual(['s']);
  });

  test('the checksum changes with the times and with nothing that is not stored', () => {
    const of = (over: Partial<EventChange>) => foldChanges([event('a', over)], window, nobody).puts[0]?.checksum;
    expect(of({ etag: '"2"' })).toBe(of({}));
    expect(of({ endAt: new Date('2026-11-24T10:00:01Z') })).not.toBe(of({}));
  });
});

describe("a booking's own event", () => {
  test('is never busy time of its own, and its echo is nothing', () => {
    const folded = foldChanges([event('own1')], window, ownedBy(written));
    expect(folded).toMatchObject({ puts: [], dropIds: ['own1'], suspectBookingIds: [] });
  });

  test('that shows other times under another etag is suspect', () => {
    const moved = event('own1', {
      etag: '"2"',
      startAt: new Date('2026-11-24T11:00:00Z'),
      endAt: new Date('2026-11-24T12:00:00Z'),
    });
    expect(foldChanges([moved], window, ownedBy(written)).suspectBookingIds).toEqual(['b1']);
  });

  test("that only changed its etag is not: a guest's answer does that too", () => {
    expect(foldChanges([event('own1', { etag: '"2"' })], window, ownedBy(written)).suspectBookingIds).toEqual([]);
  });

  test('that is gone from the feed is suspect, for absence proves nothing yet', () => {
    const gone: Change = { kind: 'tombstone', eventId: 'own1', seriesId: null };
    expect(foldChanges([gone], window, ownedBy(written)).suspectBookingIds).toEqual(['b1']);
  });

  test('that is still there although the booking was cancelled is suspect', () => {
    const cancelled: OwnEvent = { ...written, state: 'cancelled', externalEventId: null };
    expect(foldChanges([event('own1')], window, ownedBy(cancelled)).suspectBookingIds).toEqual(['b1']);
  });

  test('under another id than the one on record is suspect: a late writer left it', () => {
    expect(foldChanges([event('own0')], window, ownedBy(written)).suspectBookingIds).toEqual(['b1']);
  });

  describe('that its owner made a series', () => {
    const marker = { bookingId: 'b1', connectionId: 'c1', generation: 0, version: 1 };
    const week = 7 * 86_400_000;
    const weeks = [0, 1, 2].map((n) =>
      event(`own1_${n}`, {
        ...{ seriesId: 'own1', marker, creationKey: 'own1', etag: '"2"' },
        startAt: new Date((written.writtenStart?.getTime() ?? 0) + n * week),
        endAt: new Date((written.writtenEnd?.getTime() ?? 0) + n * week),
      }),
    );

    test('[I-2] is the booking’s in its own week alone: the later ones are busy, whatever they carry', () => {
      const folded = foldChanges(weeks, window, ({ eventId }) => (eventId === 'own1' ? written : null));
      expect(ids(folded)).toEqual(['own1_1', 'own1_2']);
      expect(folded).toMatchObject({ dropIds: ['own1_0'], suspectBookingIds: ['b1'] });
    });

    test('[I-2] is the booking’s where it is on record, and suspect no longer', () => {
      const known: OwnEvent = { ...written, externalEventId: 'own1_0' };
      const names = ['own1', 'own1_0', 'b1'];
      const own = ({ eventId, bookingId }: { eventId: string; bookingId?: string | null }) =>
        names.includes(eventId) || names.includes(bookingId ?? '') ? known : null;
      const folded = foldChanges(weeks, window, own);
      expect(ids(folded)).toEqual(['own1_1', 'own1_2']);
      expect(folded).toMatchObject({ dropIds: ['own1_0'], suspectBookingIds: [] });
    });

    test('[I-2] is its owner’s when the booking has another event, or none: doubt is busy', () => {
      for (const externalEventId of ['own2', null]) {
        const folded = foldChanges(weeks, window, ownedBy({ ...written, externalEventId }));
        expect(ids(folded)).toEqual(['own1_0', 'own1_1', 'own1_2']);
        expect(folded.suspectBookingIds).toEqual([]);
      }
    });
  });

  test('that shows what is being written is left alone', () => {
    const writing: OwnEvent = { ...written, leaseHeld: true };
    const echo = event('own1', { etag: '"2"', endAt: new Date('2026-11-24T12:00:00Z') });
    expect(foldChanges([echo], window, ownedBy(writing)).suspectBookingIds).toEqual([]);
    expect(foldChanges([echo], window, ownedBy(written)).suspectBookingIds).toEqual(['b1']);
  });

  test('that shows anything else is suspect although a write is under way: no hint comes twice', () => {
    const writing: OwnEvent = { ...written, leaseHeld: true };
    const moved = event('own1', { etag: '"2"', endAt: new Date('2026-11-24T13:00:00Z') });
    expect(foldChanges([moved], window, ownedBy(writing)).suspectBookingIds).toEqual(['b1']);
    const cancelling: OwnEvent = { ...writing, state: 'cancelled', externalEventId: null };
    expect(foldChanges([event('own1')], window, ownedBy(cancelling)).suspectBookingIds).toEqual(['b1']);
  });

  test.each([false, true])(
    'of an earlier generation is suspect while nothing is on record (a lease: %s)',
    (leaseHeld) => {
      const creating: OwnEvent = { ...written, externalEventId: null, writtenStart: null, writtenEnd: null, leaseHeld };
      expect(foldChanges([event('own1')], window, ownedBy(creating)).suspectBookingIds).toEqual([]);
      expect(foldChanges([event('own0')], window, ownedBy(creating)).suspectBookingIds).toEqual(['b1']);
      const atGraph = event('made', { creationKey: 'own0' });
      expect(foldChanges([atGraph], window, ownedBy(creating)).suspectBookingIds).toEqual(['b1']);
    },
  );
});
