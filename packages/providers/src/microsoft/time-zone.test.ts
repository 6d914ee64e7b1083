import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readSpan, resolveZone, type SpanParts } from './time-zone.ts';

function parts(start: string, end: string, changes: Partial<SpanParts> = {}): SpanParts {
  const at = (dateTime: string) => ({ dateTime, timeZone: 'UTC' });
  return { start: at(start), end: at(end), isAllDay: false, originalZone: null, mailboxZone: null, ...changes };
}

function iso(reading: ReturnType<typeof readSpan>) {
  return 'reason' in reading ? reading.reason : [reading.startAt.toISOString(), reading.endAt.toISOString()];
}

const inZone = (start: string, end: string, zone: string) =>
  parts(start, end, { start: { dateTime: start, timeZone: zone }, end: { dateTime: end, timeZone: zone } });

describe('resolveZone', () => {
  test.each([
    ['Pacific Standard Time', 'America/Los_Angeles'],
    ['E. Africa Standard Time', 'Africa/Nairobi'],
    ['Africa/Nairobi', 'Africa/Nairobi'],
    ['UTC', 'UTC'],
    ['tzone://Microsoft/Utc', 'UTC'],
    ['tzone://Microsoft/Custom', null],
    ['Customized Time Zone', null],
    ['', null],
    [null, null],
  ])('[I-3] reads %j as %j', (name, zone) => {
    expect(resolveZone(name)).toBe(zone);
  });
});

describe('readSpan of timed events', () => {
  test.each([
    [
      'seven digits of a second',
      parts('2026-11-24T09:00:00.1239999', '2026-11-24T10:00:00'),
      ['2026-11-24T09:00:00.123Z', '2026-11-24T10:00:00.000Z'],
    ],
    [
      'a Windows zone in summer',
      inZone('2017-04-21T10:00:00.0000000', '2017-04-21T12:00:00.0000000', 'Pacific Standard Time'),
      ['2017-04-21T17:00:00.000Z', '2017-04-21T19:00:00.000Z'],
    ],
    [
      'the hour that comes twice, whole',
      inZone('2026-11-01T01:15:00', '2026-11-01T01:45:00', 'America/New_York'),
      ['2026-11-01T05:15:00.000Z', '2026-11-01T06:45:00.000Z'],
    ],
    [
      'the hour that never comes',
      inZone('2026-03-08T02:30:00', '2026-03-08T03:30:00', 'America/New_York'),
      ['2026-03-08T07:30:00.000Z', '2026-03-08T07:30:00.000Z'],
    ],
    [
      'an offset of its own',
      inZone('2026-11-24T09:00:00+02:00', '2026-11-24T10:00:00Z', 'America/New_York'),
      ['2026-11-24T07:00:00.000Z', '2026-11-24T10:00:00.000Z'],
    ],
    [
      'a zone nobody knows',
      inZone('2026-11-24T09:00:00', '2026-11-24T10:00:00', 'tzone://Microsoft/Custom'),
      'unknown_time_zone',
    ],
    ['no time', parts('tomorrow', '2026-11-24T10:00:00'), 'unreadable_time'],
    ['a day that does not exist', parts('2026-02-30T09:00:00', '2026-03-01T10:00:00'), 'unreadable_time'],
    ['an end before the start', parts('2026-11-24T10:00:00', '2026-11-24T09:00:00'), 'end_before_start'],
  ] as const)('[I-3] %s', (_, given, expected) => {
    expect(iso(readSpan(given))).toEqual(expected);
  });
});

describe('readSpan of all-day events', () => {
  const day = (changes: Partial<SpanParts> = {}) =>
    parts('2026-11-24T00:00:00.0000000', '2026-11-25T00:00:00.0000000', { isAllDay: true, ...changes });

  test.each([
    [
      'the mailbox zone before the original one',
      day({ mailboxZone: 'Asia/Tokyo', originalZone: 'America/New_York' }),
      ['2026-11-23T15:00:00.000Z', '2026-11-24T15:00:00.000Z'],
    ],
    [
      'the original zone when the mailbox is silent',
      day({ originalZone: 'Eastern Standard Time' }),
      ['2026-11-24T05:00:00.000Z', '2026-11-25T05:00:00.000Z'],
    ],
    [
      'the original zone when the mailbox zone is no name',
      day({ mailboxZone: 'Customized Time Zone', originalZone: 'Asia/Tokyo' }),
      ['2026-11-23T15:00:00.000Z', '2026-11-24T15:00:00.000Z'],
    ],
    [
      'a zone of the event’s own before any other',
      {
        ...inZone('2026-11-24T00:00:00', '2026-11-25T00:00:00', 'Pacific Standard Time'),
        isAllDay: true,
        mailboxZone: 'Asia/Tokyo',
      },
      ['2026-11-24T08:00:00.000Z', '2026-11-25T08:00:00.000Z'],
    ],
    [
      'the widest reading without any',
      day({ originalZone: 'tzone://Microsoft/Custom' }),
      ['2026-11-23T10:00:00.000Z', '2026-11-25T12:00:00.000Z'],
    ],
    [
      'instants where they are no midnights',
      parts('2026-11-24T05:00:00', '2026-11-25T05:00:00', { isAllDay: true, mailboxZone: 'Asia/Tokyo' }),
      ['2026-11-24T05:00:00.000Z', '2026-11-25T05:00:00.000Z'],
    ],
    [
      'a day that begins at one in the morning',
      parts('2024-04-26T00:00:00', '2024-04-27T00:00:00', { isAllDay: true, mailboxZone: 'Egypt Standard Time' }),
      ['2024-04-25T22:00:00.000Z', '2024-04-26T21:00:00.000Z'],
    ],
    [
      'both midnights of a day that has two',
      parts('2026-11-01T00:00:00', '2026-11-02T00:00:00', { isAllDay: true, mailboxZone: 'America/Havana' }),
      ['2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z'],
    ],
  ] as const)('[I-3] takes %s', (_, given, expected) => {
    expect(iso(readSpan(given))).toEqual(expected);
  });

  const ZONES = [
    'Etc/GMT+12',
    'Pacific/Honolulu',
    'America/Los_Angeles',
    'America/Toronto',
    'America/St_Johns',
    'America/Sao_Paulo',
    'America/Havana',
    'Atlantic/Azores',
    'Europe/London',
    'Europe/Berlin',
    'Africa/Cairo',
    'Asia/Beirut',
    'Asia/Kathmandu',
    'Asia/Tokyo',
    'Australia/Lord_Howe',
    'Pacific/Auckland',
    'Pacific/Chatham',
    'Pacific/Apia',
    'Pacific/Kiritimati',
    'Etc/GMT-14',
  ];
  const dates = fc
    .date({ min: new Date('2015-01-01'), max: new Date('2040-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10));
  const addDays = (date: string, days: number) =>
    new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
  const dateIn = (zone: string, ms: number) =>
    new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }).format(ms);

  test('[I-3] covers exactly the days it names, in every zone from -12 to +14', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), dates, fc.integer({ min: 1, max: 40 }), (zone, date, days) => {
        const end = addDays(date, days);
        const read = readSpan(
          parts(`${date}T00:00:00.0000000`, `${end}T00:00:00.0000000`, { isAllDay: true, mailboxZone: zone }),
        );
        if ('reason' in read) throw new Error(read.reason);
        expect(dateIn(zone, read.startAt.getTime())).toBe(date);
        expect(dateIn(zone, read.startAt.getTime() - 1)).toBe(addDays(date, -1));
        expect(dateIn(zone, read.endAt.getTime() - 1)).toBe(addDays(end, -1));
        expect(dateIn(zone, read.endAt.getTime())).toBe(end);
      }),
      { numRuns: 400 },
    );
  });

  test('[I-3] is read without a zone so widely that it holds the days of every zone', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), dates, fc.integer({ min: 1, max: 40 }), (zone, date, days) => {
        const given = parts(`${date}T00:00:00`, `${addDays(date, days)}T00:00:00`, { isAllDay: true });
        const [wide, exact] = [readSpan(given), readSpan({ ...given, mailboxZone: zone })];
        if ('reason' in wide || 'reason' in exact) throw new Error('unreadable');
        expect(wide.startAt.getTime()).toBeLessThanOrEqual(exact.startAt.getTime());
        expect(wide.endAt.getTime()).toBeGreaterThanOrEqual(exact.endAt.getTime());
      }),
      { numRuns: 200 },
    );
  });
});
