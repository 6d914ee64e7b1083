import { describe, expect, test } from '@jest/globals';
import { type BookingEvent, describeIssues, parseBookingEvent } from './booking-events.ts';
import { readBookingIntent, toDesiredBooking } from './booking-intent.ts';

const valid = {
  schema: 1,
  event_id: '11111111-1111-4111-8111-111111111111',
  type: 'booking.created',
  booking_id: '22222222-2222-4222-8222-222222222222',
  provider_id: '33333333-3333-4333-8333-333333333333',
  version: 1,
  occurred_at: '2026-11-20T10:00:00Z',
  booking: {
    start: '2026-11-24T09:00:00Z',
    end: '2026-11-24T10:00:00Z',
    time_zone: 'America/Toronto',
    title: 'Haircut',
  },
};
const paths = (data: unknown) => {
  const parsed = parseBookingEvent(data);
  return parsed.ok ? [] : parsed.issues.map((issue) => issue.path);
};

describe('[O-1] a booking event', () => {
  test('that is valid is read with its instants', () => {
    const parsed = parseBookingEvent(valid);
    expect(parsed).toMatchObject({ ok: true, event: { booking: { start: new Date('2026-11-24T09:00:00Z') } } });
  });

  test('that is cancelled may come without the booking', () => {
    expect(parseBookingEvent({ ...valid, type: 'booking.cancelled', booking: undefined }).ok).toBe(true);
    expect(paths({ ...valid, booking: undefined })).toEqual(['booking']);
  });

  test.each([
    ['schema', { schema: 2 }],
    ['event_id', { event_id: 'x' }],
    ['type', { type: 'booking.moved' }],
    ['provider_id', { provider_id: "'; DROP TABLE booking_intents; --" }],
    ['version', { version: 0 }],
    ['version', { version: 1.5 }],
    ['occurred_at', { occurred_at: 'yesterday' }],
    ['booking.start', { booking: { ...valid.booking, start: '2026-11-24T09:00:00' } }],
    ['booking.end', { booking: { ...valid.booking, end: valid.booking.start } }],
    ['booking.time_zone', { booking: { ...valid.booking, time_zone: 'Mars/Olympus' } }],
    ['booking.time_zone', { booking: { ...valid.booking, time_zone: '+05:30' } }],
    ['booking.title', { booking: { ...valid.booking, title: ' ' } }],
    ['booking.title', { booking: { ...valid.booking, title: 'Hair\u0000cut' } }],
    ['booking.notes', { booking: { ...valid.booking, notes: 'half a pair: \ud83d' } }],
    ['booking.start', { booking: { ...valid.booking, start: '0000-01-01T00:00:00Z' } }],
    ['booking.end', { booking: { ...valid.booking, end: '9999-12-31T23:59:59-14:00' } }],
    ['booking.attendee.email', { booking: { ...valid.booking, attendee: { email: 'nobody' } } }],
  ])('with a bad %s is refused by that name', (path, over) => {
    expect(paths({ ...valid, ...over })).toEqual([path]);
  });

  test.each([[null], [undefined], ['text'], [[]], [7]])('that is no object at all (%p) is refused', (data) => {
    expect(parseBookingEvent(data).ok).toBe(false);
  });

  test.each<[string, object]>([
    ['null for what is optional', { notes: null, location: null, attendee: null }],
    ['null for what is optional of the attendee', { attendee: { name: null, email: null } }],
    ['an attendee of whom nothing is known', { attendee: {} }],
    ['an empty address', { attendee: { email: '' } }],
    ['an address with letters beyond ASCII', { attendee: { email: 'zoë@exämple.com' } }],
    ['an instant without seconds', { start: '2026-11-24T09:00Z' }],
    ['an instant with an offset', { start: '2026-11-24T04:00:00-05:00' }],
    ['fields that nobody knows yet', { colour: 'blue' }],
  ])('with %s is valid', (_, over) => {
    expect(paths({ ...valid, booking: { ...valid.booking, ...over } })).toEqual([]);
  });

  test('stores nothing for what is null or empty', () => {
    const over = { notes: null, attendee: { name: null, email: '' } };
    const parsed = parseBookingEvent({ ...valid, booking: { ...valid.booking, ...over } });
    const { details } = toDesiredBooking((parsed as { event: BookingEvent }).event);
    expect(JSON.parse(JSON.stringify(details))).toEqual({
      title: 'Haircut',
      time_zone: 'America/Toronto',
      attendee: {},
    });
  });

  test('is refused without repeating what was sent', () => {
    const parsed = parseBookingEvent({ ...valid, booking: { ...valid.booking, attendee: { email: 'secret-word' } } });
    expect(JSON.stringify(parsed)).not.toContain('secret-word');
  });

  test('is refused with each field and what is wrong about it, for people to read', () => {
    const issues = [
      { path: 'booking.end', message: 'must be after start' },
      { path: '', message: 'must be an object' },
    ];
    expect(describeIssues(issues)).toBe('booking.end: must be after start; payload: must be an object');
    const read = readBookingIntent({ ...valid, booking: { ...valid.booking, end: valid.booking.start } });
    expect(read).toEqual({ ok: false, reason: 'booking.end: must be after start' });
  });

  test('is read as what is stored of it', () => {
    const parsed = parseBookingEvent(valid);
    const intent = toDesiredBooking((parsed as { event: BookingEvent }).event);
    expect(readBookingIntent(valid)).toEqual({ ok: true, intent });
  });
});
