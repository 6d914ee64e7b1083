import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readSpan } from './read-time.ts';

const span = (startAt: string, endAt: string) => ({ startAt: new Date(startAt), endAt: new Date(endAt) });

describe('timed events', () => {
  test('[I-3] the offset decides the instant, whatever zone stands beside it', () => {
    const start = { dateTime: '2026-03-13T07:00:00-03:00', timeZone: 'America/Los_Angeles' };
    const end = { dateTime: '2026-03-13T11:00:00Z', timeZone: 'Asia/Tokyo' };
    expect(readSpan(start, end, 'Europe/Berlin')).toEqual(span('2026-03-13T10:00:00Z', '2026-03-13T11:00:00Z'));
  });

  test('[I-3] an offset is not moved by an hour that the machine has twice', () => {
    const start = { dateTime: '2026-10-25T02:30:00+01:00' };
    expect(readSpan(start, start, null)).toEqual(span('2026-10-25T01:30:00Z', '2026-10-25T01:30:00Z'));
  });

  test('[I-3] a time without an offset lies in its own zone, not in the calendar’s', () => {
    const start = { dateTime: '2026-07-01T09:00:00', timeZone: 'America/Toronto' };
    const end = { dateTime: '2026-07-01T10:00:00', timeZone: 'America/Toronto' };
    expect(readSpan(start, end, 'Asia/Tokyo')).toEqual(span('2026-07-01T13:00:00Z', '2026-07-01T14:00:00Z'));
  });

  test('[I-3] an hour that the clocks show twice is read as long as it may be', () => {
    const at = (dateTime: string) => ({ dateTime, timeZone: 'America/Toronto' });
    const read = readSpan(at('2026-11-01T01:00:00'), at('2026-11-01T01:30:00'), null);
    expect(read).toEqual(span('2026-11-01T05:00:00Z', '2026-11-01T06:30:00Z'));
  });
});

describe('whole days', () => {
  const days = (date: string, until: string) => [{ date, timeZone: 'UTC' }, { date: until }] as const;

  test.each([
    ['a plain day', '2026-03-15', '2026-03-16', 'America/Sao_Paulo', '2026-03-15T03:00:00Z', '2026-03-16T03:00:00Z'],
    ['a day of 23 hours', '2026-03-29', '2026-03-30', 'Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'],
    ['a day of 25 hours', '2026-10-25', '2026-10-26', 'Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'],
    ['no midnight', '2018-11-04', '2018-11-05', 'America/Sao_Paulo', '2018-11-04T03:00:00Z', '2018-11-05T02:00:00Z'],
    ['two midnights', '2026-11-01', '2026-11-02', 'America/Havana', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z'],
    ['several days', '2026-12-24', '2026-12-27', 'Asia/Tokyo', '2026-12-23T15:00:00Z', '2026-12-26T15:00:00Z'],
  ])('[I-3] %s lies in the calendar’s zone', (_, date, until, zone, startAt, endAt) => {
    expect(readSpan(...days(date, until), zone)).toEqual(span(startAt, endAt));
  });

  test.each([[null], ['Nowhere/City'], ['']])(
    '[I-3] with %p for a zone they are as wide as anywhere on earth',
    (zone) => {
      const read = readSpan(...days('2026-03-15', '2026-03-16'), zone);
      expect(read).toEqual(span('2026-03-14T10:00:00Z', '2026-03-16T12:00:00Z'));
    },
  );

  test('[I-3] in every zone they begin with the first instant of their date and end with the last', () => {
    const zones = Intl.supportedValuesOf('timeZone');
    const dayNumbers = fc.integer({ min: 0, max: 25 * 365 });
    fc.assert(
      fc.property(fc.constantFrom(...zones), dayNumbers, fc.integer({ min: 1, max: 9 }), (zone, day, length) => {
        const [date, until] = [isoDate(day), isoDate(day + length)];
        // Whole days that a country left out when it changed sides of the date line have no instants at all.
        fc.pre(zone !== 'Pacific/Apia' && zone !== 'Pacific/Fakaofo' && zone !== 'Pacific/Kwajalein');
        const read = readSpan({ date }, { date: until }, zone);
        if (!('startAt' in read)) throw new Error(read.reason);
        expect(dateIn(zone, read.startAt.getTime())).toBe(date);
        expect(dateIn(zone, read.startAt.getTime() - 1) < date).toBe(true);
        expect(dateIn(zone, read.endAt.getTime())).toBe(until);
        expect(dateIn(zone, read.endAt.getTime() - 1) < until).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what cannot be read is said, never invented', () => {
  const noon = { dateTime: '2026-03-15T12:00:00Z' };
  test.each([
    ['no_start', undefined, noon],
    ['no_start', {}, noon],
    ['no_start', { dateTime: null }, noon],
    ['no_end', noon, undefined],
    ['no_end', noon, 'tomorrow'],
    ['no_time_zone', { dateTime: '2026-03-15T12:00:00' }, noon],
    ['unknown_time_zone', { dateTime: '2026-03-15T12:00:00', timeZone: 'Mars/Base' }, noon],
    ['unreadable_time', { dateTime: 'noon', timeZone: 'UTC' }, noon],
    ['unreadable_time', { dateTime: '2026-02-30T12:00:00Z' }, noon],
    ['unreadable_time', { date: '2026-13-01' }, noon],
    ['unreadable_time', { date: '15 March 2026' }, noon],
    ['end_before_start', noon, { dateTime: '2026-03-15T11:59:59Z' }],
  ])('%s', (reason, start, end) => {
    expect(readSpan(start, end, 'Europe/Berlin')).toEqual({ reason });
  });
});

function isoDate(dayNumber: number): string {
  return new Date(Date.UTC(2008, 0, 1) + dayNumber * 86_400_000).toISOString().slice(0, 10);
}

const formats = new Map<string, Intl.DateTimeFormat>();
function dateIn(timeZone: string, instant: number): string {
  const known = formats.get(timeZone);
  const format =
    known ?? new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  formats.set(timeZone, format);
  return format.format(instant);
}
