import type { calendar_v3 } from '@googleapis/calendar';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { googleClient, grantGoogle, listAll, refusalOf } from './google-client.ts';
import { type Harness, startSandbox } from './harness.ts';

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

const add = (event: object) => harness.admin<{ id: string }>('POST', EVENTS, event);
const at = (day: string, time: string) => `${day}T${time}:00-05:00`;

describe('google: full listings', () => {
  test('google: pages hold maxResults items, and only the last one has a sync token', async () => {
    await harness.admin('POST', `${EVENTS}/fill`, { count: 25, from: '2026-12-01T09:00:00Z' });
    const { items, pages, syncToken } = await listAll(client, { calendarId, maxResults: 10 });
    expect([items.length, pages, syncToken.length > 0]).toEqual([25, 3, true]);
    expect(new Set(items.map(({ id }) => id)).size).toBe(25);
  });

  test('google: a page holds 250 items by default and never more than 2500', async () => {
    await harness.admin('POST', `${EVENTS}/fill`, { count: 2600, from: '2026-12-01T09:00:00Z' });
    const usual = await client.events.list({ calendarId });
    const most = await client.events.list({ calendarId, maxResults: 9999 });
    expect([usual.data.items?.length, most.data.items?.length]).toEqual([250, 2500]);
  });

  test('google: the window takes what overlaps it, and touching is not overlapping', async () => {
    await add({ title: 'before', start: at('2026-12-01', '08:00'), end: at('2026-12-01', '09:00') });
    await add({ title: 'into', start: at('2026-12-01', '08:30'), end: at('2026-12-01', '09:30') });
    await add({ title: 'out', start: at('2026-12-01', '09:45'), end: at('2026-12-01', '11:00') });
    await add({ title: 'after', start: at('2026-12-01', '10:00'), end: at('2026-12-01', '11:00') });
    const { items } = await listAll(client, {
      calendarId,
      timeMin: at('2026-12-01', '09:00'),
      timeMax: at('2026-12-01', '10:00'),
    });
    expect(items.map(({ summary }) => summary)).toEqual(['into', 'out']);
  });

  test('google: a bound without an offset, and a window that ends before it begins, are bad requests', async () => {
    const local = client.events.list({ calendarId, timeMin: '2026-12-01T09:00:00' });
    expect(await refusalOf(local)).toEqual({ status: 400, reason: 'badRequest' });
    const upsideDown = { timeMin: '2026-12-02T00:00:00Z', timeMax: '2026-12-01T00:00:00Z' };
    const empty = client.events.list({ calendarId, ...upsideDown });
    expect(await refusalOf(empty)).toEqual({ status: 400, reason: 'timeRangeEmpty' });
  });

  test('google: a full listing has no tombstones unless they are asked for', async () => {
    const { id } = await add({ start: at('2026-12-01', '09:00') });
    await harness.admin('DELETE', `${EVENTS}/${id}`);
    const plain = await client.events.list({ calendarId });
    const whole = await client.events.list({ calendarId, showDeleted: true });
    expect(plain.data.items).toEqual([]);
    expect(whole.data.items?.map(({ status }) => status)).toEqual(['cancelled']);
  });

  test('google: all-day events have dates and no zone; timed ones an offset and a zone', async () => {
    await add({ start: '2026-12-24', end: '2026-12-26' });
    await add({ start: '2026-07-01T09:00', end: '2026-07-01T10:00', time_zone: 'Europe/Berlin' });
    const { data } = await client.events.list({ calendarId });
    expect(data.timeZone).toBe('America/Toronto');
    expect(data.items?.[0]?.start).toEqual({ date: '2026-12-24' });
    expect(data.items?.[0]?.end).toEqual({ date: '2026-12-26' });
    expect(data.items?.[1]?.start).toEqual({ dateTime: '2026-07-01T03:00:00-04:00', timeZone: 'Europe/Berlin' });
  });

  test('google: a field mask keeps what it names, nested names too, and refuses a misspelt one', async () => {
    await add({ title: 'Masked', start: at('2026-12-01', '09:00') });
    const fields = 'items(id,start/dateTime,attendees(email)),nextPageToken,nextSyncToken';
    const { data } = await client.events.list({ calendarId, fields });
    expect(Object.keys(data).sort()).toEqual(['items', 'nextSyncToken']);
    expect(data.items?.[0]).toEqual({ id: expect.any(String), start: { dateTime: '2026-12-01T09:00:00-05:00' } });
    const wrong = client.events.list({ calendarId, fields: 'itmes(id)' });
    expect(await refusalOf(wrong)).toEqual({ status: 400, reason: 'invalidParameter' });
  });

  test('google: private properties filter by or within their kind and by and across kinds', async () => {
    await add({ title: 'a', start: at('2026-12-01', '09:00'), properties: { k: '1' }, shared_properties: { s: 'x' } });
    await add({ title: 'b', start: at('2026-12-01', '10:00'), properties: { k: '2' } });
    const either = await client.events.list({ calendarId, privateExtendedProperty: ['k=1', 'k=2'] });
    const both = await client.events.list({
      calendarId,
      privateExtendedProperty: ['k=1', 'k=2'],
      sharedExtendedProperty: ['s=x'],
    });
    expect(either.data.items?.map(({ summary }) => summary)).toEqual(['a', 'b']);
    expect(both.data.items?.map(({ summary }) => summary)).toEqual(['a']);
    expect(either.data.nextSyncToken).toBeUndefined();
  });

  test('google: an order by start needs single events', async () => {
    await add({ title: 'late', start: at('2026-12-02', '09:00') });
    await add({ title: 'early', start: at('2026-12-01', '09:00') });
    const sorted = await client.events.list({ calendarId, singleEvents: true, orderBy: 'startTime' });
    expect(sorted.data.items?.map(({ summary }) => summary)).toEqual(['early', 'late']);
    expect((await refusalOf(client.events.list({ calendarId, orderBy: 'startTime' }))).status).toBe(400);
  });

  test('google: a page token belongs to its query', async () => {
    await harness.admin('POST', `${EVENTS}/fill`, { count: 5, from: '2026-12-01T09:00:00Z' });
    const { data } = await client.events.list({ calendarId, maxResults: 2 });
    const pageToken = data.nextPageToken ?? '';
    const other = client.events.list({ calendarId, maxResults: 2, showDeleted: true, pageToken });
    expect((await refusalOf(other)).status).toBe(400);
  });

  test('google: an unknown calendar is not found', async () => {
    const other = client.events.list({ calendarId: 'nobody@example.com' });
    expect(await refusalOf(other)).toEqual({ status: 404, reason: 'notFound' });
  });
});

describe('google: increments', () => {
  const baseline = async (query: object = {}) => (await listAll(client, { calendarId, ...query })).syncToken;

  test('google: an increment holds what changed since, deletions always', async () => {
    const kept = await add({ title: 'kept', start: at('2026-12-01', '09:00') });
    const moved = await add({ title: 'moved', start: at('2026-12-01', '10:00') });
    const gone = await add({ title: 'gone', start: at('2026-12-01', '11:00') });
    const syncToken = await baseline();
    await harness.admin('PATCH', `${EVENTS}/${moved.id}`, { start: at('2026-12-01', '12:00') });
    await harness.admin('DELETE', `${EVENTS}/${gone.id}`);
    const round = await listAll(client, { calendarId, syncToken });
    expect(round.items.map(({ id, status }) => [id, status])).toEqual([
      [moved.id, 'confirmed'],
      [gone.id, 'cancelled'],
    ]);
    const quiet = await listAll(client, { calendarId, syncToken: round.syncToken });
    expect(quiet.items).toEqual([]);
    expect(round.items.map(({ id }) => id)).not.toContain(kept.id);
  });

  test('google: what changes while the pages are read comes in the next increment', async () => {
    await harness.admin('POST', `${EVENTS}/fill`, { count: 4, from: '2026-12-01T09:00:00Z' });
    const first = await client.events.list({ calendarId, maxResults: 2 });
    const shown = first.data.items?.[0]?.id ?? '';
    await harness.admin('DELETE', `${EVENTS}/${shown}`);
    const pageToken = first.data.nextPageToken ?? '';
    const second = await client.events.list({ calendarId, maxResults: 2, pageToken });
    const next = await listAll(client, { calendarId, syncToken: second.data.nextSyncToken ?? '' });
    expect(next.items.map(({ id, status }) => [id, status])).toEqual([[shown, 'cancelled']]);
  });

  test('google: increments page too, and no change is lost when more of them happen meanwhile', async () => {
    await harness.admin('POST', `${EVENTS}/fill`, { count: 7, from: '2026-12-01T09:00:00Z' });
    const { items, syncToken } = await listAll(client, { calendarId });
    const ids = items.map(({ id }) => id ?? '');
    for (const id of ids) await harness.admin('PATCH', `${EVENTS}/${id}`, { title: 'changed' });
    const first = await client.events.list({ calendarId, syncToken, maxResults: 3 });
    await harness.admin('PATCH', `${EVENTS}/${ids[6]}`, { title: 'changed again' });
    const pageToken = first.data.nextPageToken ?? '';
    const second = await client.events.list({ calendarId, syncToken, maxResults: 3, pageToken });
    expect(first.data.items?.length).toBe(3);
    expect(second.data.items?.length).toBe(3);
    const next = await listAll(client, { calendarId, syncToken: second.data.nextSyncToken ?? '' });
    expect(next.items.map(({ summary }) => summary)).toEqual(['changed again']);
  });

  test('google: an increment knows no window, not even that of the first listing', async () => {
    const timeMin = '2026-12-01T00:00:00Z';
    const syncToken = await baseline({ timeMin, timeMax: '2026-12-08T00:00:00Z' });
    await add({ title: 'far away', start: at('2031-01-01', '09:00') });
    const { items } = await listAll(client, { calendarId, syncToken });
    expect(items.map(({ summary }) => summary)).toEqual(['far away']);
  });

  test.each([
    ['timeMin', '2026-12-01T00:00:00Z'],
    ['timeMax', '2026-12-01T00:00:00Z'],
    ['updatedMin', '2026-12-01T00:00:00Z'],
    ['orderBy', 'updated'],
    ['q', 'x'],
    ['iCalUID', 'x'],
    ['privateExtendedProperty', 'a=b'],
    ['sharedExtendedProperty', 'a=b'],
    ['showDeleted', 'false'],
    ['singleEvents', 'true'],
  ])('google: a sync token is refused together with %s', async (name, value) => {
    const syncToken = await baseline();
    const refused = client.events.list({ calendarId, syncToken, [name]: value } as object);
    expect((await refusalOf(refused)).status).toBe(400);
  });

  test('google: an expired, an unknown and a foreign sync token all want a full sync', async () => {
    const syncToken = await baseline();
    const other = googleClient(harness, await grantGoogle(harness, 'bob@example.com'));
    const gone = { status: 410, reason: 'fullSyncRequired' };
    expect(await refusalOf(other.events.list({ calendarId, syncToken }))).toEqual(gone);
    expect(await refusalOf(client.events.list({ calendarId, syncToken: 'nonsense' }))).toEqual(gone);
    await harness.admin('POST', '/cursors/expire', { email });
    expect(await refusalOf(client.events.list({ calendarId, syncToken }))).toEqual(gone);
  });

  test('google: a sync token dies of age when it is given one', async () => {
    await harness.admin('PUT', '/settings', { google: { sync_token_seconds: 60 } });
    const syncToken = await baseline();
    await harness.admin('PUT', '/clock', { advance_ms: 61_000 });
    expect((await refusalOf(client.events.list({ calendarId, syncToken }))).status).toBe(410);
  });
});

describe('google: series', () => {
  const weekly = { title: 'weekly', start: '2026-12-01T09:00', end: '2026-12-01T10:00', time_zone: 'America/Toronto' };

  test('google: single events are instances and never the master', async () => {
    const { id } = await add({ ...weekly, recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'] });
    const { items } = await listAll(client, { calendarId, singleEvents: true });
    expect(items.map((item) => item.id)).toEqual([
      `${id}_20261201T140000Z`,
      `${id}_20261208T140000Z`,
      `${id}_20261215T140000Z`,
    ]);
    expect(items.every((item) => item.recurringEventId === id && item.recurrence === undefined)).toBe(true);
    expect(new Set(items.map((item) => item.iCalUID)).size).toBe(1);
  });

  test('google: an instance keeps its hour on the wall when the offset changes', async () => {
    await add({
      ...weekly,
      start: '2026-10-27T09:00',
      end: '2026-10-27T10:00',
      recurrence: ['RRULE:FREQ=WEEKLY;COUNT=2'],
    });
    const { items } = await listAll(client, { calendarId, singleEvents: true });
    expect(items.map(({ start }) => start?.dateTime)).toEqual([
      '2026-10-27T09:00:00-04:00',
      '2026-11-03T09:00:00-05:00',
    ]);
  });

  test('google: moved and cancelled exceptions stand beside their master when series are not expanded', async () => {
    const { id } = await add({ ...weekly, recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'] });
    await harness.admin('PATCH', `${EVENTS}/${id}_20261208T140000Z`, { start: at('2026-12-09', '11:00') });
    await harness.admin('DELETE', `${EVENTS}/${id}_20261215T140000Z`);
    const { items } = await listAll(client, { calendarId });
    expect(items.map(({ status, recurringEventId }) => [status, recurringEventId])).toEqual([
      ['confirmed', undefined],
      ['confirmed', id],
      ['cancelled', id],
    ]);
    expect(items[1]?.start?.dateTime).toBe('2026-12-09T11:00:00-05:00');
    expect(items[1]?.originalStartTime?.dateTime).toBe('2026-12-08T09:00:00-05:00');
    expect(Object.keys(items[2] ?? {}).sort()).toEqual([
      'etag',
      'id',
      'kind',
      'originalStartTime',
      'recurringEventId',
      'status',
    ]);
  });

  test('google: expanded, the exceptions take the place of their instances', async () => {
    const { id } = await add({ ...weekly, recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'] });
    await harness.admin('PATCH', `${EVENTS}/${id}_20261208T140000Z`, { start: at('2026-12-09', '11:00') });
    await harness.admin('DELETE', `${EVENTS}/${id}_20261215T140000Z`);
    const { items } = await listAll(client, { calendarId, singleEvents: true, orderBy: 'startTime' });
    expect(items.map(({ start }) => start?.dateTime)).toEqual([
      '2026-12-01T09:00:00-05:00',
      '2026-12-09T11:00:00-05:00',
    ]);
  });

  test('google: one touched endless series floods the increment with years of instances', async () => {
    const { id } = await add({ ...weekly, recurrence: ['RRULE:FREQ=WEEKLY'] });
    const window = { timeMin: '2026-12-01T00:00:00Z', timeMax: '2027-01-01T00:00:00Z' };
    const first = await listAll(client, { calendarId, singleEvents: true, ...window });
    expect(first.items.length).toBe(5);
    await harness.admin('PATCH', `${EVENTS}/${id}`, { title: 'renamed' });
    const flood = await listAll(client, {
      calendarId,
      singleEvents: true,
      syncToken: first.syncToken,
      maxResults: 300,
    });
    expect(flood.items.length).toBe(730);
    expect(flood.pages).toBe(3);
    expect(flood.items.at(-1)?.start?.dateTime?.slice(0, 4)).toBe('2040');
  });

  test('google: deleting a long series cancels its instances of about six months only', async () => {
    await harness.admin('PUT', '/clock', { offset_ms: Date.parse('2026-12-01T12:00:00Z') - Date.now() });
    client = googleClient(harness, await grantGoogle(harness, email));
    const { id } = await add({ ...weekly, recurrence: ['RRULE:FREQ=WEEKLY'] });
    const { syncToken } = await listAll(client, { calendarId, singleEvents: true, timeMax: '2028-01-01T00:00:00Z' });
    await harness.admin('DELETE', `${EVENTS}/${id}`);
    const { items } = await listAll(client, { calendarId, singleEvents: true, syncToken });
    expect(items.every(({ status, start }) => status === 'cancelled' && start === undefined)).toBe(true);
    expect(items.length).toBe(27);
  });

  test('google: instances that a changed series no longer has come as cancelled', async () => {
    const { id } = await add({ ...weekly, recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'] });
    const { syncToken } = await listAll(client, { calendarId, singleEvents: true });
    await harness.admin('PATCH', `${EVENTS}/${id}`, { recurrence: ['RRULE:FREQ=WEEKLY;COUNT=1'] });
    const { items } = await listAll(client, { calendarId, singleEvents: true, syncToken });
    expect(items.map((item) => [item.id, item.status])).toEqual([
      [`${id}_20261201T140000Z`, 'confirmed'],
      [`${id}_20261208T140000Z`, 'cancelled'],
      [`${id}_20261215T140000Z`, 'cancelled'],
    ]);
  });

  test('google: an all-day series counts dates', async () => {
    const { id } = await add({
      start: '2026-12-01',
      end: '2026-12-02',
      recurrence: ['RRULE:FREQ=DAILY;UNTIL=20261203'],
    });
    const { items } = await listAll(client, { calendarId, singleEvents: true });
    expect(items.map((item) => item.id)).toEqual([`${id}_20261201`, `${id}_20261202`, `${id}_20261203`]);
    expect(items[2]?.originalStartTime).toEqual({ date: '2026-12-03' });
  });

  test('google: a deletion on the organizer’s calendar keeps its details, a guest’s copy only its id', async () => {
    const own = await add({ title: 'own', start: at('2026-12-01', '09:00') });
    const invited = await add({ title: 'invited', start: at('2026-12-01', '10:00'), response_status: 'accepted' });
    const { syncToken } = await listAll(client, { calendarId });
    await harness.admin('DELETE', `${EVENTS}/${own.id}`);
    await harness.admin('DELETE', `${EVENTS}/${invited.id}`);
    const { items } = await listAll(client, { calendarId, syncToken });
    expect([items[0]?.summary, items[0]?.status]).toEqual(['own', 'cancelled']);
    expect(Object.keys(items[1] ?? {}).sort()).toEqual(['etag', 'id', 'kind', 'status']);
  });
});
