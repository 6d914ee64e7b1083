import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { writeProperties } from './booking-properties.ts';
import { mapItem } from './map-item.ts';

const window = { startAt: new Date('2026-11-20T00:00:00Z'), endAt: new Date('2027-02-20T00:00:00Z') };
const context = { calendarZone: 'America/Toronto', window };
const item = (changes: object = {}) => ({
  id: 'e1',
  status: 'confirmed',
  etag: '"7"',
  iCalUID: 'e1@google.com',
  start: { dateTime: '2026-11-24T09:00:00Z' },
  end: { dateTime: '2026-11-24T10:00:00Z' },
  ...changes,
});
const map = (changes: object = {}) => mapItem(item(changes), context);
const self = (responseStatus: string) => ({ attendees: [{ self: true, responseStatus }] });
const marker = {
  bookingId: '6f1d9f5e-2d0f-4c67-9c0e-3b8f3f6f2a10',
  connectionId: '0b9c3d44-7f53-4f0e-8a51-5a52a7cbb0aa',
  generation: 0,
  version: 3,
};

test('[I-2] an item becomes a change with nothing but ids, times and whether it blocks', () => {
  expect(map({ summary: 'private', description: 'private', recurringEventId: 's1' })).toEqual({
    kind: 'event',
    eventId: 'e1',
    seriesId: 's1',
    icalUid: 'e1@google.com',
    startAt: new Date('2026-11-24T09:00:00Z'),
    endAt: new Date('2026-11-24T10:00:00Z'),
    blocks: true,
    etag: '"7"',
    marker: null,
    creationKey: null,
  });
});

describe('[I-3] busy or free', () => {
  test.each([
    ['blocks: nothing says otherwise', {}, true],
    ['blocks: tentative', { status: 'tentative' }, true],
    ['blocks: opaque said out loud', { transparency: 'opaque' }, true],
    ['blocks: focus time', { eventType: 'focusTime' }, true],
    ['blocks: out of office', { eventType: 'outOfOffice' }, true],
    ['blocks: made from a mail', { eventType: 'fromGmail' }, true],
    ['blocks: not answered', self('needsAction'), true],
    ['blocks: accepted', self('accepted'), true],
    ['blocks: tentatively accepted', self('tentative'), true],
    ['blocks: somebody else declined', { attendees: [{ responseStatus: 'declined' }] }, true],
    ['blocks: an unknown status', { status: 'maybe' }, true],
    ['blocks: an unknown transparency', { transparency: 'foggy' }, true],
    ['blocks: an unknown type', { eventType: 'lunarEclipse' }, true],
    ['blocks: guests of an unknown shape', { attendees: 'many' }, true],
    [
      'blocks: two entries of its owner that disagree',
      { attendees: [...self('declined').attendees, ...self('accepted').attendees] },
      true,
    ],
    ['is free: transparent', { transparency: 'transparent' }, false],
    ['is free: its owner declined', self('declined'), false],
    ['is free: working location, even opaque', { eventType: 'workingLocation', transparency: 'opaque' }, false],
    ['is free: birthday', { eventType: 'birthday' }, false],
    ['is free: without length', { end: { dateTime: '2026-11-24T09:00:00Z' } }, false],
    [
      'is free: a transparent day',
      { start: { date: '2026-11-24' }, end: { date: '2026-11-25' }, transparency: 'transparent' },
      false,
    ],
  ])('%s', (_, changes, blocks) => {
    expect(map(changes)).toMatchObject({ kind: 'event', blocks });
  });

  test('a whole day blocks from midnight to midnight of the calendar’s zone', () => {
    expect(map({ start: { date: '2026-11-24' }, end: { date: '2026-11-25' } })).toMatchObject({
      startAt: new Date('2026-11-24T05:00:00Z'),
      endAt: new Date('2026-11-25T05:00:00Z'),
      blocks: true,
    });
  });
});

describe('[I-1] what is gone', () => {
  test('a cancelled item is a tombstone though it has nothing but its id', () => {
    expect(mapItem({ id: 'e1', status: 'cancelled' }, context)).toEqual({
      kind: 'tombstone',
      eventId: 'e1',
      seriesId: null,
    });
  });

  test('a cancelled occurrence names its series, and is one even with its times', () => {
    expect(map({ status: 'cancelled', recurringEventId: 's1' })).toEqual({
      kind: 'tombstone',
      eventId: 'e1',
      seriesId: 's1',
    });
  });

  test('a master is no occurrence, so what was held under its id goes', () => {
    expect(map({ recurrence: ['RRULE:FREQ=DAILY;COUNT=3'] })).toMatchObject({ kind: 'tombstone', eventId: 'e1' });
  });

  test.each([
    ['ends as the window starts', '2026-11-19T23:00:00Z', '2026-11-20T00:00:00Z'],
    ['starts as the window ends', '2027-02-20T00:00:00Z', '2027-02-20T01:00:00Z'],
    ['lies years beyond', '2040-01-01T00:00:00Z', '2040-01-01T01:00:00Z'],
  ])('an event that %s is out of what is kept in sync', (_, start, end) => {
    expect(map({ start: { dateTime: start }, end: { dateTime: end } })).toMatchObject({ kind: 'tombstone' });
  });

  test('an event over an edge of the window keeps its full length', () => {
    const changes = { start: { dateTime: '2026-11-10T00:00:00Z' }, end: { dateTime: '2026-11-20T00:00:01Z' } };
    expect(map(changes)).toMatchObject({ kind: 'event', startAt: new Date('2026-11-10T00:00:00Z') });
  });
});

describe('[O-3] an event of ours', () => {
  const ours = { extendedProperties: { private: writeProperties(marker) } };

  test('carries its marker', () => {
    expect(map(ours)).toMatchObject({ kind: 'event', marker });
  });

  test('is told as it is beyond the window as well, where a tombstone would call for a read', () => {
    const beyond = { start: { dateTime: '2028-01-01T00:00:00Z' }, end: { dateTime: '2028-01-01T01:00:00Z' } };
    expect(map({ ...ours, ...beyond })).toMatchObject({ kind: 'event', marker });
  });
});

describe('[I-5] an item that cannot be read', () => {
  test.each([
    ['no_id', { id: undefined }],
    ['no_id', { id: '' }],
    ['no_start', { start: undefined }],
    ['no_end', { end: null }],
    ['end_before_start', { end: { dateTime: '2026-11-24T08:00:00Z' } }],
  ])('is named %s', (reason, changes) => {
    expect(map(changes)).toMatchObject({ reason });
  });

  test('never throws, whatever Google sends', () => {
    const strange = fc.record(
      {
        id: fc.anything(),
        status: fc.anything(),
        start: fc.anything(),
        end: fc.anything(),
        recurrence: fc.anything(),
        attendees: fc.anything(),
        extendedProperties: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), strange), (value) => {
        const mapped = mapItem(value, context);
        expect('kind' in mapped || 'reason' in mapped).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
