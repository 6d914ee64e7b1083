import type { Change, EventChange, UnreadableItem } from '@bookiji/providers/contract';
import { describe, expect, test } from '@jest/globals';
import { trackDoubts } from './track-doubts.ts';

const item = (eventId: string | null, seriesId: string | null = null): UnreadableItem => ({
  eventId,
  seriesId,
  reason: 'no_end',
});
const event = (eventId: string): EventChange => ({
  kind: 'event',
  eventId,
  seriesId: null,
  icalUid: null,
  startAt: new Date(0),
  endAt: new Date(1),
  blocks: true,
  etag: null,
  marker: null,
  creationKey: null,
});
const gone = (eventId: string): Change => ({ kind: 'tombstone', eventId, seriesId: null });

function leftOf(known: readonly UnreadableItem[], ...pages: (readonly (Change | UnreadableItem)[])[]) {
  const doubts = trackDoubts(known);
  for (const page of pages) {
    doubts.note({
      changes: page.filter((one): one is Change => 'kind' in one),
      ownIds: [],
      unreadable: page.filter((one): one is UnreadableItem => !('kind' in one)),
    });
  }
  return doubts.items().map(({ eventId }) => eventId);
}

describe('[I-5] an item that cannot be read', () => {
  test('stays a doubt while the feed tells of others', () => {
    expect(leftOf([item('odd')], [event('other'), gone('third')], [])).toEqual(['odd']);
    expect(leftOf([], [item('odd')], [event('other')])).toEqual(['odd']);
  });

  test('is none any more once it can be read, is gone, or its series came afresh', () => {
    expect(leftOf([item('odd')], [event('odd')])).toEqual([]);
    expect(leftOf([item('odd')], [gone('odd')])).toEqual([]);
    expect(leftOf([item('odd', 'series')], [{ kind: 'series_reset', seriesId: 'series' }])).toEqual([]);
    expect(leftOf([item('odd')], [{ kind: 'series_reset', seriesId: 'odd' }])).toEqual([]);
    expect(leftOf([item('odd', 'other')], [{ kind: 'series_reset', seriesId: 'series' }])).toEqual(['odd']);
  });

  test('stays one while only another occurrence of its series changes', () => {
    expect(leftOf([item('odd', 'series')], [gone('series'), event('another')])).toEqual(['odd']);
    expect(leftOf([], [item('odd', 'series')], [gone('series'), event('another')])).toEqual(['odd']);
  });

  test('is what the last page says of it', () => {
    expect(leftOf([], [item('odd')], [event('odd')])).toEqual([]);
    expect(leftOf([], [event('odd')], [item('odd')])).toEqual(['odd']);
  });

  test('is none once it is known for a booking’s own event', () => {
    const doubts = trackDoubts([item('ours'), item('odd')]);
    doubts.note({ changes: [], unreadable: [], ownIds: ['ours'] });
    expect(doubts.items()).toEqual([item('odd')]);
  });

  test('and names none is ended by nothing that an increment tells', () => {
    expect(leftOf([item(null)], [event('a'), gone('b')])).toEqual([null]);
  });
});
