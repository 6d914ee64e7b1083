import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Client } from '@microsoft/microsoft-graph-client';
import { type Harness, startSandbox } from './harness.ts';
import {
  type GraphItem,
  grantMicrosoft,
  graphClient,
  graphRefusalOf,
  pathOf,
  readAll,
  timedEvent,
  WINDOW,
} from './microsoft-client.ts';

let harness: Harness;
let client: Client;
const email = 'bob@example.com';
const EVENTS = `/calendars/microsoft/${email}/events`;

beforeAll(async () => {
  harness = await startSandbox();
});
afterAll(() => harness.close());
beforeEach(async () => {
  await harness.admin('POST', '/reset');
  client = graphClient(harness, await grantMicrosoft(harness, email));
});

type Item = GraphItem & { '@odata.etag': string; changeKey: string };
const morning = (more: object = {}) => timedEvent('Haircut', '2026-12-01T09:00:00', '2026-12-01T10:00:00', more);
const post = (event: object): Promise<Item> => client.api('/me/events').post(event);
const get = (id: string, query = ''): Promise<Item> => client.api(`/me/events/${id}${query}`).get();
const patch = (id: string, change: object, etag?: string): Promise<Item> => {
  const request = client.api(`/me/events/${id}`);
  if (etag !== undefined) request.header('If-Match', etag);
  return request.patch(change);
};
const add = (event: object) => harness.admin<{ id: string; mutable_id: string }>('POST', EVENTS, event);
const mails = async () =>
  (await harness.admin<{ mails: { occasion: string; recipient_count: number }[] }>('GET', '/mail')).mails;

describe('microsoft: writing', () => {
  test('[O-1] microsoft: an event is created, changed as far as is said, and deleted for good', async () => {
    const made = await post(morning({ location: { displayName: 'Main street' } }));
    expect(made).toMatchObject({ subject: 'Haircut', type: 'singleInstance', showAs: 'busy', isCancelled: false });
    const moved = await patch(made.id, { end: { dateTime: '2026-12-01T11:00:00', timeZone: 'UTC' } });
    expect(moved.location).toMatchObject({ displayName: 'Main street' });
    expect(moved.start).toEqual(made.start);
    expect(moved.end).toEqual({ dateTime: '2026-12-01T11:00:00.0000000', timeZone: 'UTC' });
    await client.api(`/me/events/${made.id}`).delete();
    const gone = { status: 404, code: 'ErrorItemNotFound' };
    expect(await graphRefusalOf(get(made.id))).toEqual(gone);
    expect(await graphRefusalOf(client.api(`/me/events/${made.id}`).delete())).toEqual(gone);
  });

  test('[O-3] microsoft: a repeated transaction id is the event that is there, another one under it is refused', async () => {
    const first = await post(morning({ transactionId: 't-1' }));
    const again = await post(morning({ transactionId: 't-1' }));
    expect([again.id, again.transactionId]).toEqual([first.id, 't-1']);
    const other = post(timedEvent('Else', '2026-12-02T09:00:00', '2026-12-02T10:00:00', { transactionId: 't-1' }));
    expect(await graphRefusalOf(other)).toEqual({ status: 409, code: 'ErrorDuplicateTransactionId' });
    expect((await readAll(client, '/me/events')).items).toHaveLength(1);
    expect((await graphRefusalOf(patch(first.id, { transactionId: 't-2' }))).status).toBe(400);
  });

  test('[O-3] microsoft: without a transaction id a repeated request makes a second event', async () => {
    const [first, second] = [await post(morning()), await post(morning())];
    expect(first.id).not.toBe(second.id);
  });

  test('[O-1] microsoft: the change key is another one after every edit, and a stale one is refused', async () => {
    const made = await post(morning());
    const changed = await patch(made.id, { subject: 'Two' }, made['@odata.etag']);
    expect(changed.changeKey).not.toBe(made.changeKey);
    const stale = { status: 412, code: 'ErrorIrresolvableConflict' };
    expect(await graphRefusalOf(patch(made.id, { subject: 'Three' }, made['@odata.etag']))).toEqual(stale);
    const remove = client.api(`/me/events/${made.id}`).header('If-Match', made['@odata.etag']).delete();
    expect(await graphRefusalOf(remove)).toEqual(stale);
    expect((await get(made.id)).subject).toBe('Two');
  });

  test('microsoft: what makes no sense is refused', async () => {
    const refused = async (event: object) => (await graphRefusalOf(post(event))).code;
    expect(await refused({ subject: 'no times' })).toBe('ErrorPropertyValidationFailure');
    expect(await refused(timedEvent('x', '2026-12-01T10:00:00', '2026-12-01T09:00:00'))).toBe(
      'ErrorCalendarEndDateIsEarlierThanStartDate',
    );
    expect(await refused(morning({ start: { dateTime: '2026-12-01T09:00:00', timeZone: 'Nowhere Time' } }))).toBe(
      'TimeZoneNotSupportedException',
    );
    expect(await refused(morning({ isAllDay: true }))).toBe('ErrorPropertyValidationFailure');
    expect(await refused(morning({ showAs: 'asleep' }))).toBe('RequestBodyRead');
    expect(await refused(morning({ summary: 'a word of Google’s' }))).toBe('RequestBodyRead');
    expect(await graphRefusalOf(get('nonsense'))).toEqual({ status: 400, code: 'ErrorInvalidIdMalformed' });
  });

  test('microsoft: guests are told of everything, and nobody is where there are none', async () => {
    const silent = await post(morning());
    await patch(silent.id, { subject: 'x' });
    await client.api(`/me/events/${silent.id}`).delete();
    expect(await mails()).toEqual([]);
    const guests = ['a@example.com', 'b@example.com'].map((address) => ({ emailAddress: { address } }));
    const loud = await post(morning({ attendees: guests }));
    await patch(loud.id, { subject: 'x' });
    await client.api(`/me/events/${loud.id}`).delete();
    expect((await mails()).map((mail) => [mail.occasion, mail.recipient_count])).toEqual([
      ['invitation', 2],
      ['update', 2],
      ['cancellation', 2],
    ]);
  });

  test('microsoft: only the organizer cancels', async () => {
    const own = await post(morning());
    await client.api(`/me/events/${own.id}/cancel`).post({ comment: 'ill' });
    expect((await graphRefusalOf(get(own.id))).status).toBe(404);
    const theirs = await add({
      start: '2026-12-01T09:00:00Z',
      end: '2026-12-01T10:00:00Z',
      response_status: 'accepted',
    });
    expect((await graphRefusalOf(client.api(`/me/events/${theirs.id}/cancel`).post({}))).status).toBe(400);
    expect(await get(theirs.id)).toMatchObject({ isOrganizer: false, responseStatus: { response: 'accepted' } });
  });

  test('microsoft: a calendar that may only be read, and a scope that only reads, refuse writes', async () => {
    const reader = graphClient(
      harness,
      await grantMicrosoft(harness, 'eve@example.com', { scopes: ['Calendars.Read'] }),
    );
    const denied = { status: 403, code: 'ErrorAccessDenied' };
    expect(await graphRefusalOf(reader.api('/me/events').post(morning()))).toEqual(denied);
    await harness.admin('PUT', '/users', { calendar_provider: 'microsoft', email, access_role: 'reader' });
    expect(await graphRefusalOf(post(morning()))).toEqual(denied);
  });
});

describe('microsoft: recurring events', () => {
  const series = () =>
    post({
      ...timedEvent('Standup', '2026-11-23T09:00:00', '2026-11-23T09:15:00'),
      start: { dateTime: '2026-11-23T09:00:00', timeZone: 'Eastern Standard Time' },
      end: { dateTime: '2026-11-23T09:15:00', timeZone: 'Eastern Standard Time' },
      recurrence: {
        pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday', 'thursday'], firstDayOfWeek: 'sunday' },
        range: { type: 'numbered', startDate: '2026-11-23', numberOfOccurrences: 6 },
      },
    });
  const instances = async (id: string) => (await readAll(client, `/me/events/${id}/instances?${WINDOW}&$top=4`)).items;

  test('microsoft: a series is written in Graph’s words, shown in them, and expanded by its pattern', async () => {
    const master = await series();
    expect(master).toMatchObject({
      type: 'seriesMaster',
      originalStartTimeZone: 'Eastern Standard Time',
      recurrence: {
        pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday', 'thursday'] },
        range: { type: 'numbered', numberOfOccurrences: 6, recurrenceTimeZone: 'Eastern Standard Time' },
      },
    });
    const days = (await instances(master.id)).map(({ start }) => (start as { dateTime: string }).dateTime.slice(0, 10));
    expect(days).toEqual(['2026-11-23', '2026-11-26', '2026-11-30', '2026-12-03', '2026-12-07', '2026-12-10']);
  });

  test.each([
    ['daily', { type: 'daily', interval: 2 }, { type: 'endDate', endDate: '2026-11-29' }, 4],
    ['monthly by date', { type: 'absoluteMonthly', interval: 1, dayOfMonth: 23 }, { type: 'noEnd' }, 3],
    [
      'monthly by weekday',
      { type: 'relativeMonthly', interval: 1, daysOfWeek: ['monday'], index: 'fourth' },
      { type: 'noEnd' },
      3,
    ],
  ])('microsoft: a %s pattern repeats as it says', async (_name, pattern, range, count) => {
    const made = await post({
      ...timedEvent('x', '2026-11-23T09:00:00', '2026-11-23T10:00:00'),
      recurrence: { pattern, range: { startDate: '2026-11-23', ...range } },
    });
    expect(made.recurrence).toMatchObject({ pattern, range });
    expect(await instances(made.id)).toHaveLength(count);
  });

  test('microsoft: an occurrence is changed and deleted by its own id, the others stay', async () => {
    const master = await series();
    const [, second, third] = await instances(master.id);
    const changed = await patch(second?.id ?? '', { subject: 'Short' });
    expect(changed).toMatchObject({ id: second?.id, type: 'exception', seriesMasterId: master.id });
    await client.api(`/me/events/${third?.id}`).delete();
    const left = await instances(master.id);
    expect(left.map(({ type, subject }) => [type, subject]).slice(0, 2)).toEqual([
      ['occurrence', 'Standup'],
      ['exception', 'Short'],
    ]);
    expect(left).toHaveLength(5);
    expect((await graphRefusalOf(get(third?.id ?? ''))).status).toBe(404);
  });

  test('microsoft: a moved occurrence may not reach the day of its neighbour', async () => {
    const master = await series();
    const [, second] = await instances(master.id);
    const move = (day: string) =>
      patch(second?.id ?? '', {
        start: { dateTime: `${day}T09:00:00`, timeZone: 'Eastern Standard Time' },
        end: { dateTime: `${day}T09:15:00`, timeZone: 'Eastern Standard Time' },
      });
    const refused = { status: 400, code: 'ErrorOccurrenceCrossingBoundary' };
    expect(await graphRefusalOf(move('2026-11-30'))).toEqual(refused);
    expect(await graphRefusalOf(move('2026-11-20'))).toEqual(refused);
    expect((await move('2026-11-28')).type).toBe('exception');
  });
});

describe('microsoft: reading', () => {
  test('microsoft: extended properties come when they are asked for, are merged, and can be searched for', async () => {
    const guid = '{66F5A359-4659-4830-9070-00047EC6AC6E}';
    const key = `String ${guid} Name Key`;
    const made = await post(morning({ singleValueExtendedProperties: [{ id: key, value: "it's" }] }));
    await patch(made.id, { singleValueExtendedProperties: [{ id: `String ${guid} Name Other`, value: '2' }] });
    expect(await get(made.id)).not.toHaveProperty('singleValueExtendedProperties');
    const expand = `?$expand=singleValueExtendedProperties($filter=id eq '${key.toLowerCase()}')`;
    expect((await get(made.id, expand)).singleValueExtendedProperties).toEqual([
      { id: `String ${guid.toLowerCase()} Name Key`, value: "it's" },
    ]);
    const found = async (value: string) =>
      (
        await client
          .api('/me/events')
          .filter(`singleValueExtendedProperties/Any(ep: ep/id eq '${key}' and ep/value eq '${value}')`)
          .get()
      ).value.map(({ id }: GraphItem) => id);
    expect([await found("it''s"), await found('other')]).toEqual([[made.id], []]);
    const wrong = morning({ singleValueExtendedProperties: [{ id: 'Key', value: 'x' }] });
    expect((await graphRefusalOf(post(wrong))).status).toBe(400);
  });

  test.each([
    [3, [0, 10, 2]],
    [0, [10, 2]],
  ])(
    'microsoft: lists are filtered after they are paged, with empty pages as the settings have it (%d)',
    async (every, sizes) => {
      await harness.admin('PUT', '/settings', { microsoft: { empty_page_every: every } });
      await harness.admin('POST', `${EVENTS}/fill`, { count: 20, from: '2026-12-01T00:00:00Z', title: 'n' });
      const bound = "start/dateTime ge '2026-12-01T08:00:00'";
      const { pages, items } = await readAll(client, `/me/events?$filter=${bound}`);
      expect(pages.map((page) => page.length)).toEqual(sizes);
      expect(new Set(items.map(({ id }) => id)).size).toBe(12);
    },
  );

  test('microsoft: a deletion between the empty page and the next hides nothing that matches', async () => {
    await harness.admin('PUT', '/settings', { microsoft: { empty_page_every: 3 } });
    await harness.admin('POST', `${EVENTS}/fill`, { count: 10, from: '2026-12-01T00:00:00Z', title: 'n' });
    const wanted = await post(morning());
    const [first, ...others] = (await client.api('/me/events').top(5).get()).value;
    expect(others).toHaveLength(4);
    const filtered = client.api(`/me/events?$filter=subject eq '${wanted.subject}'`);
    const empty = await filtered.get();
    expect(empty.value).toEqual([]);
    await client.api(`/me/events/${first.id}`).delete();
    const next = await client.api(pathOf(empty['@odata.nextLink'])).get();
    expect(next.value.map(({ id }: GraphItem) => id)).toEqual([wanted.id]);
  });

  test('microsoft: a filter that is not understood is refused', async () => {
    const refused = await graphRefusalOf(client.api('/me/events').filter("color eq 'red'").get());
    expect(refused).toEqual({ status: 400, code: 'ErrorInvalidUrlQuery' });
  });

  test('microsoft: a selection holds what it names, and a name that does not exist is refused', async () => {
    const made = await post(morning());
    const chosen = await get(made.id, '?$select=subject,start');
    expect(Object.keys(chosen).sort()).toEqual(['@odata.context', '@odata.etag', 'id', 'start', 'subject']);
    expect((await graphRefusalOf(get(made.id, '?$select=summary'))).status).toBe(400);
  });

  test('microsoft: times are written in the zone that is preferred, under the name it was given', async () => {
    const made = await post(morning());
    const local = await client
      .api(`/me/events/${made.id}`)
      .header('Prefer', 'outlook.timezone="Pacific Standard Time"')
      .get();
    expect(local.start).toEqual({ dateTime: '2026-12-01T01:00:00.0000000', timeZone: 'Pacific Standard Time' });
    const wrong = client.api(`/me/events/${made.id}`).header('Prefer', 'outlook.timezone="Nowhere"').get();
    expect(await graphRefusalOf(wrong)).toEqual({ status: 400, code: 'TimeZoneNotSupportedException' });
  });

  test('microsoft: an all-day event is midnight whatever zone is preferred', async () => {
    const at = (day: string) => ({ dateTime: `${day}T00:00:00`, timeZone: 'Eastern Standard Time' });
    const made = await post({ subject: 'Holiday', start: at('2026-12-24'), end: at('2026-12-26'), isAllDay: true });
    const far = await client
      .api(`/me/events/${made.id}`)
      .header('Prefer', 'outlook.timezone="Tokyo Standard Time"')
      .get();
    expect(far.start).toEqual({ dateTime: '2026-12-24T00:00:00.0000000', timeZone: 'Tokyo Standard Time' });
    expect(far.end.dateTime).toBe('2026-12-26T00:00:00.0000000');
    const view = '/me/calendarView?startDateTime=2026-12-26T04:00:00Z&endDateTime=2026-12-26T06:00:00Z';
    expect((await readAll(client, view)).items.map(({ id }) => id)).toHaveLength(1);
  });

  test('microsoft: mutable ids change when an item moves, immutable ones do not', async () => {
    const { id, mutable_id: before } = await add({ start: '2026-12-01T09:00:00Z', end: '2026-12-01T10:00:00Z' });
    const mutable = graphClient(harness, await grantMicrosoft(harness, email), 'mutable');
    expect((await mutable.api(`/me/events/${before}`).get()).id).toBe(before);
    await harness.admin('POST', `${EVENTS}/${id}/move-folder`);
    expect((await get(id)).id).toBe(id);
    expect(await graphRefusalOf(mutable.api(`/me/events/${before}`).get())).toMatchObject({ status: 404 });
    expect((await mutable.api(`/me/events/${id}`).get()).id).not.toBe(before);
  });

  test('microsoft: the mailbox says its zone by its Windows name, unless it refuses', async () => {
    expect((await client.api('/me/mailboxSettings').get()).timeZone).toBe('Eastern Standard Time');
    await harness.admin('PUT', '/users', { calendar_provider: 'microsoft', email, refuse_mailbox_settings: true });
    const denied = { status: 403, code: 'ErrorAccessDenied' };
    expect(await graphRefusalOf(client.api('/me/mailboxSettings').get())).toEqual(denied);
    const narrow = graphClient(
      harness,
      await grantMicrosoft(harness, 'eve@example.com', { scopes: ['Calendars.ReadWrite'] }),
    );
    expect(await graphRefusalOf(narrow.api('/me/mailboxSettings').get())).toEqual(denied);
  });

  test('microsoft: the account and its calendars are shown, the default one first', async () => {
    await harness.admin('PUT', '/users', { calendar_provider: 'microsoft', email, calendars: [{ summary: 'Other' }] });
    const { value } = await client.api('/me/calendars').get();
    expect(value.map(({ name, isDefaultCalendar }: GraphItem) => [name, isDefaultCalendar])).toEqual([
      ['Calendar', true],
      ['Other', false],
    ]);
    expect((await client.api('/me/calendar').get()).id).toBe(value[0].id);
    expect((await client.api(`/me/calendars/${encodeURIComponent(value[1].id)}`).get()).name).toBe('Other');
    expect((await client.api('/me').get()).mail).toBe(email);
    expect((await graphRefusalOf(client.api('/me/calendars/unknown').get())).status).toBe(404);
  });
});
