import type { calendar_v3 } from '@googleapis/calendar';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { googleClient, grantGoogle, listAll, refusalOf } from './google-client.ts';
import { type Harness, type Json, startSandbox } from './harness.ts';

let harness: Harness;
let client: calendar_v3.Calendar;
const email = 'ada@example.com';
const calendarId = 'primary';
const EVENTS = `/calendars/google/${email}/events`;

beforeAll(async () => {
  harness = await startSandbox();
});
afterAll(() => harness.close());
beforeEach(async () => {
  await harness.admin('POST', '/reset');
  client = googleClient(harness, await grantGoogle(harness, email));
});

const event = (more: calendar_v3.Schema$Event = {}): calendar_v3.Schema$Event => ({
  summary: 'Haircut',
  start: { dateTime: '2026-12-01T09:00:00Z' },
  end: { dateTime: '2026-12-01T10:00:00Z' },
  ...more,
});
const insert = async (more: calendar_v3.Schema$Event = {}, query: object = {}) =>
  (await client.events.insert({ calendarId, requestBody: event(more), ...query })).data;
const eventId = 'bookingid0123456789abcdefghijklmn'.replace(/[w-z]/g, 'a');

describe('google: identity', () => {
  test('[O-3] google: a chosen id is used once and for ever, also by an event that was deleted', async () => {
    expect((await insert({ id: eventId })).id).toBe(eventId);
    const duplicate = { status: 409, reason: 'duplicate' };
    expect(await refusalOf(insert({ id: eventId }))).toEqual(duplicate);
    await client.events.delete({ calendarId, eventId });
    expect(await refusalOf(insert({ id: eventId }))).toEqual(duplicate);
    const update = client.events.patch({ calendarId, eventId, requestBody: { summary: 'again' } });
    expect(await refusalOf(update)).toEqual({ status: 403, reason: 'forbidden' });
  });

  test.each(['abcd', 'UPPERCASE', 'with-dash', 'wxyz0', 'x'.repeat(1025)])(
    'google: the id %.12s is refused',
    async (id) => {
      expect((await refusalOf(insert({ id }))).status).toBe(400);
    },
  );

  test('google: id and iCalUID are not given together', async () => {
    expect((await refusalOf(insert({ id: eventId, iCalUID: 'x@y' }))).status).toBe(400);
    expect((await insert({ iCalUID: 'x@y' })).iCalUID).toBe('x@y');
  });

  test('[O-3] google: a lost answer leaves the event behind, and its id is taken', async () => {
    await harness.admin('POST', '/faults', {
      provider: 'google',
      operation: 'events.insert',
      lost_answer: true,
      times: 1,
    });
    await expect(insert({ id: eventId })).rejects.toThrow();
    expect((await refusalOf(insert({ id: eventId }))).status).toBe(409);
    expect((await listAll(client, { calendarId })).items.map(({ id }) => id)).toEqual([eventId]);
  });
});

describe('google: changes', () => {
  test('[O-1] google: a patch keeps what it leaves out, an update does not', async () => {
    const { id } = await insert({ location: 'Main street', extendedProperties: { private: { a: '1', b: '2' } } });
    const patched = await client.events.patch({
      calendarId,
      eventId: id ?? '',
      requestBody: { summary: 'New', extendedProperties: { private: { a: null as never } } },
    });
    expect(patched.data).toMatchObject({ location: 'Main street', extendedProperties: { private: { b: '2' } } });
    expect(patched.data.extendedProperties?.private).not.toHaveProperty('a');
    const updated = await client.events.update({ calendarId, eventId: id ?? '', requestBody: event() });
    expect(updated.data.location).toBeUndefined();
    expect(updated.data.extendedProperties).toBeUndefined();
  });

  test('[O-1] google: every change makes another etag, and a stale one is refused', async () => {
    const made = await insert();
    const eventId = made.id ?? '';
    const withEtag = { headers: { 'If-Match': made.etag ?? '' } };
    const changed = await client.events.patch({ calendarId, eventId, requestBody: { summary: '2' } }, withEtag);
    expect(changed.data.etag).not.toBe(made.etag);
    const stale = { status: 412, reason: 'conditionNotMet' };
    const again = client.events.patch({ calendarId, eventId, requestBody: { summary: '3' } }, withEtag);
    expect(await refusalOf(again)).toEqual(stale);
    expect(await refusalOf(client.events.delete({ calendarId, eventId }, withEtag))).toEqual(stale);
    await client.events.delete({ calendarId, eventId }, { headers: { 'If-Match': changed.data.etag ?? '' } });
  });

  test('[O-1] google: deleting what is deleted is 410 deleted, and a deleted event can still be read', async () => {
    const { id } = await insert();
    await client.events.delete({ calendarId, eventId: id ?? '' });
    const again = client.events.delete({ calendarId, eventId: id ?? '' });
    expect(await refusalOf(again)).toEqual({ status: 410, reason: 'deleted' });
    expect((await client.events.get({ calendarId, eventId: id ?? '' })).data.status).toBe('cancelled');
    const unknown = client.events.get({ calendarId, eventId: 'neverseen' });
    expect(await refusalOf(unknown)).toEqual({ status: 404, reason: 'notFound' });
  });

  test('google: a guest may not change what all share', async () => {
    const { id } = await harness.admin<{ id: string }>('POST', EVENTS, {
      start: '2026-12-01T09:00:00Z',
      title: 'theirs',
      response_status: 'accepted',
    });
    const change = client.events.patch({ calendarId, eventId: id, requestBody: { summary: 'mine' } });
    expect(await refusalOf(change)).toEqual({ status: 403, reason: 'forbiddenForNonOrganizer' });
    const color = await client.events.patch({ calendarId, eventId: id, requestBody: { colorId: '3' } });
    expect(color.data.summary).toBe('theirs');
  });

  test('google: nobody is told unless it is asked for', async () => {
    const attendees = ['a@example.com', 'b@gmail.com'].map((address) => ({ email: address }));
    const mailed = async () =>
      (await harness.admin<{ mails: { recipient_count: number }[] }>('GET', '/mail')).mails.map(
        ({ recipient_count: count }) => count,
      );
    await insert({ attendees });
    expect(await mailed()).toEqual([]);
    await insert({ attendees }, { sendUpdates: 'all' });
    await insert({ attendees }, { sendUpdates: 'externalOnly' });
    expect(await mailed()).toEqual([2, 1]);
  });

  test('google: extended properties that are too long are dropped or cut without a word', async () => {
    const made = await insert({ extendedProperties: { private: { ['k'.repeat(45)]: 'x', short: 'v'.repeat(1100) } } });
    expect(made.extendedProperties?.private).toEqual({ short: 'v'.repeat(1024) });
  });

  test.each([
    ['no end', { end: null as never }],
    ['an end before the start', { end: { dateTime: '2026-12-01T08:00:00Z' } }],
    ['a date beside a time', { end: { date: '2026-12-02' } }],
    ['a local time without a zone', { start: { dateTime: '2026-12-01T09:00:00' } }],
    ['a series without a zone', { recurrence: ['RRULE:FREQ=DAILY'] }],
    ['an unknown zone', { start: { dateTime: '2026-12-01T09:00:00', timeZone: 'Nowhere/There' } }],
    ['focus time that leaves time free', { eventType: 'focusTime', transparency: 'transparent' }],
    ['a working location that blocks', { eventType: 'workingLocation', visibility: 'public' }],
    ['a working location that is not public', { eventType: 'workingLocation', transparency: 'transparent' }],
  ])('google: %s is refused', async (_name, more) => {
    expect((await refusalOf(insert(more))).status).toBe(400);
  });

  test('google: a reader may not write, and a scope that only reads may not either', async () => {
    const scopes = ['https://www.googleapis.com/auth/calendar.readonly'];
    const reader = googleClient(harness, await grantGoogle(harness, 'eve@example.com', { scopes }));
    const denied = reader.events.insert({ calendarId, requestBody: event() });
    expect(await refusalOf(denied)).toEqual({ status: 403, reason: 'insufficientPermissions' });
    await harness.admin('PUT', '/users', { calendar_provider: 'google', email, access_role: 'reader' });
    expect(await refusalOf(insert())).toEqual({ status: 403, reason: 'requiredAccessLevel' });
  });
});

describe('google: free and busy', () => {
  test('google: busy spans are merged and clipped; free, declined and deleted ones are not among them', async () => {
    const add = (start: string, end: string, more: object = {}) =>
      harness.admin<Json & { id: string }>('POST', EVENTS, {
        start: `2026-12-01T${start}:00Z`,
        end: `2026-12-01T${end}:00Z`,
        ...more,
      });
    await add('08:00', '09:30');
    await add('09:00', '10:00');
    await add('11:00', '12:00', { transparency: 'transparent' });
    await add('12:00', '13:00', { response_status: 'declined' });
    await harness.admin('DELETE', `${EVENTS}/${(await add('13:00', '14:00')).id}`);
    const requestBody = {
      timeMin: '2026-12-01T09:00:00Z',
      timeMax: '2026-12-02T00:00:00Z',
      items: [{ id: calendarId }, { id: 'nobody@example.com' }],
    };
    const { data } = await client.freebusy.query({ requestBody });
    expect(data.calendars?.[calendarId]?.busy).toEqual([
      { start: '2026-12-01T09:00:00Z', end: '2026-12-01T10:00:00Z' },
    ]);
    expect(data.calendars?.['nobody@example.com']).toMatchObject({ errors: [{ reason: 'notFound' }], busy: [] });
    const tooLong = { ...requestBody, timeMax: '2027-06-01T00:00:00Z' };
    expect((await refusalOf(client.freebusy.query({ requestBody: tooLong }))).reason).toBe('timeRangeTooLong');
  });
});
