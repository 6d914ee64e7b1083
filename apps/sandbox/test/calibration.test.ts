/** The stand-ins' answers have all that recorded answers of the real providers have, in the same kinds. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type GoogleGrant, grantGoogle } from './google-client.ts';
import { type Harness, type Json, type Receiver, startReceiver, startSandbox } from './harness.ts';
import { grantMicrosoft, type MicrosoftGrant } from './microsoft-client.ts';
import { describeRecorded, differences, readRecording } from './recorded-shapes.ts';

let harness: Harness;
let receiver: Receiver;
let google: GoogleGrant;
let microsoft: MicrosoftGrant;

beforeAll(async () => {
  harness = await startSandbox();
});
afterAll(() => harness.close());
beforeEach(async () => {
  await harness.admin('POST', '/reset');
  receiver = await startReceiver();
  google = await grantGoogle(harness, 'ada@example.com');
  microsoft = await grantMicrosoft(harness, 'bob@example.com');
});
afterEach(() => receiver.close());

interface Answer {
  readonly status: number;
  readonly body: Json;
}

async function ask(method: string, path: string, token: string, body?: object, headers: object = {}): Promise<Answer> {
  const response = await fetch(`${harness.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Json) };
}

const graph = (method: string, path: string, body?: object, headers?: object) =>
  ask(method, `/v1.0${path}`, microsoft.access_token, body, headers);
const calendar = (method: string, path: string, body?: object, headers?: object) =>
  ask(method, `/calendar/v3${path}`, google.access_token, body, headers);

async function askToken(path: string, clientId: string, token: string): Promise<Answer> {
  const fields = { client_id: clientId, client_secret: 's', grant_type: 'refresh_token', refresh_token: token };
  const response = await fetch(`${harness.url}${path}`, { method: 'POST', body: new URLSearchParams(fields) });
  return { status: response.status, body: (await response.json()) as Json };
}

const errorOf = ({ status, body }: Answer) => ({ status, code: (body.error as Json | undefined)?.code });
const WINDOW = 'startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z';
const DELTA = `/me/calendarView/delta?${WINDOW}`;
const utc = (dateTime: string) => ({ dateTime, timeZone: 'UTC' });
const event = (more: object = {}) => ({
  subject: 'x',
  start: utc('2026-12-01T09:00:00'),
  end: utc('2026-12-01T10:00:00'),
  ...more,
});
const weekly = {
  pattern: { type: 'weekly', interval: 1, daysOfWeek: ['tuesday'] },
  range: { type: 'noEnd', startDate: '2026-12-01' },
};

describeRecorded('microsoft: beside recorded answers', () => {
  /** Parts that nothing of ours looks at. */
  const UNUSED = [
    'location.address',
    'location.coordinates',
    'location.uniqueId',
    'calendar@odata.associationLink',
    'calendar@odata.navigationLink',
  ];

  test('microsoft: an event and a series master have every field', async () => {
    const { value } = readRecording<{ value: Json[] }>('microsoft/events-list-full-shape.json');
    const single = await graph('POST', '/me/events', event());
    const master = await graph('POST', '/me/events', event({ recurrence: weekly }));
    for (const recorded of value) {
      const shown = recorded.type === 'seriesMaster' ? master.body : single.body;
      expect(differences(recorded, shown, UNUSED)).toEqual([]);
    }
  });

  test('microsoft: a page of the feed, and a removal in it', async () => {
    await harness.admin('POST', '/calendars/microsoft/bob@example.com/events/fill', {
      count: 12,
      from: '2026-12-01T00:00:00Z',
    });
    const first = await graph('GET', DELTA);
    expect(differences(readRecording('microsoft/delta-round1-page1.json'), first.body, UNUSED)).toEqual([]);
    const last = await graph('GET', String(first.body['@odata.nextLink']).split('/v1.0')[1] ?? '');
    const next = String(last.body['@odata.deltaLink']).split('/v1.0')[1] ?? '';
    const empty = await graph('GET', next);
    expect(differences(readRecording('microsoft/delta-empty.json'), empty.body)).toEqual([]);
    await graph('DELETE', `/me/events/${(first.body.value as { id: string }[])[0]?.id}`);
    const removed = await graph('GET', next);
    expect(differences(readRecording('microsoft/delta-round2-removed.json'), removed.body, UNUSED)).toEqual([]);
  });

  test('microsoft: refusals', async () => {
    const made = (await graph('POST', '/me/events', event())).body;
    const stale = { 'if-match': 'W/"stale"' };
    const feed = String((await graph('GET', DELTA)).body['@odata.deltaLink']).split('/v1.0')[1] ?? '';
    await harness.admin('POST', '/cursors/expire', {});
    const missing = await graph('GET', `/me/events/${made.id}`);
    await graph('DELETE', `/me/events/${made.id}`);
    const other = (await graph('POST', '/me/events', event())).body;
    await harness.admin('POST', '/faults', { user: 'bob@example.com', operation: 'me.get', status: 503, times: 1 });
    const answers: readonly [string, Answer][] = [
      ['401-InvalidAuthenticationToken', await ask('GET', '/v1.0/me', 'wrong')],
      ['503-serviceNotAvailable', await graph('GET', '/me')],
      ['404-ErrorItemNotFound', await graph('GET', `/me/events/${made.id}`)],
      ['410-syncStateNotFound', await graph('GET', feed)],
      ['412-ErrorIrresolvableConflict', await graph('PATCH', `/me/events/${other.id}`, {}, stale)],
      ['429-ApplicationThrottled', await throttled()],
    ];
    expect(missing.status).toBe(200);
    for (const [name, answer] of answers) {
      expect([name, differences(readRecording(`microsoft/error-${name}.json`), answer.body)]).toEqual([name, []]);
      expect(errorOf(answer)).toEqual({ status: Number(name.slice(0, 3)), code: name.slice(4) });
    }
  });

  async function throttled(): Promise<Answer> {
    await harness.admin('PUT', '/settings', { microsoft: { mailbox_requests_per_10_minutes: 0 } });
    return graph('GET', '/me');
  }

  test('microsoft: a subscription, its notifications and its handshake', async () => {
    const wish = {
      changeType: 'created,updated,deleted',
      resource: 'me/events',
      notificationUrl: `${receiver.url}/n`,
      lifecycleNotificationUrl: `${receiver.url}/n`,
      expirationDateTime: new Date(Date.now() + 3_600_000).toISOString(),
      clientState: 'secret',
    };
    const made = await graph('POST', '/subscriptions', wish);
    expect(differences(readRecording('microsoft/subscription-created.json'), made.body)).toEqual([]);
    const handshake = readRecording<{ url: string; headers: Record<string, string> }>(
      'microsoft/notification-validation-request.json',
    );
    const [asked] = receiver.received;
    const withoutId = (url: string | undefined) => url?.replace(/^[^?]*/, '').replace(/[0-9a-f-]{36}$/, '');
    expect(withoutId(asked?.url)).toBe(withoutId(handshake.url));
    expect(asked?.headers['content-type']).toBe(handshake.headers['content-type']);
    await graph('POST', '/me/events', event());
    const change = await receiver.next(({ body }) => body.includes('changeType'));
    expect(differences(readRecording('microsoft/notification-one-created.json'), JSON.parse(change.body))).toEqual([]);
    for (const name of ['missed', 'reauthorizationRequired', 'subscriptionRemoved']) {
      await harness.admin('POST', '/channels/lifecycle', { event: name });
      const told = await receiver.next(({ body }) => body.includes(name));
      expect(differences(readRecording(`microsoft/lifecycle-${name}.json`), JSON.parse(told.body))).toEqual([]);
    }
  });

  test('microsoft: tokens and a dead grant', async () => {
    const path = '/common/oauth2/v2.0/token';
    const fine = await askToken(path, 'tests', microsoft.refresh_token);
    expect(differences(readRecording('microsoft/token-refresh-ok.json'), fine.body)).toEqual([]);
    await harness.admin('PUT', '/clock', { advance_ms: 91 * 86_400_000 });
    const dead = await askToken(path, 'tests', microsoft.refresh_token);
    const recorded = readRecording<Json>('microsoft/token-error-AADSTS700082.json');
    expect(differences(recorded, dead.body)).toEqual([]);
    expect([dead.body.error, dead.body.error_codes]).toEqual([recorded.error, recorded.error_codes]);
  });
});

describeRecorded('google: beside recorded answers', () => {
  const EVENTS = '/calendars/primary/events';
  const at = (dateTime: string) => ({ dateTime, timeZone: 'America/Toronto' });
  const meeting = (more: object = {}) => ({
    summary: 'x',
    start: at('2026-12-01T09:00:00'),
    end: at('2026-12-01T10:00:00'),
    ...more,
  });
  /** How a calendar looks and reminds in Google's own pages. */
  const LOOKS = [
    'colorId',
    'backgroundColor',
    'foregroundColor',
    'selected',
    'summaryOverride',
    'defaultReminders',
    'notificationSettings',
    'conferenceProperties',
  ].map((name) => `items[].${name}`);
  const UNUSED = ['items[].creator.displayName', 'items[].organizer.displayName'];

  test('google: inserted events, recurring and all-day', async () => {
    const series = await calendar('POST', EVENTS, meeting({ recurrence: ['RRULE:FREQ=WEEKLY'] }));
    expect(differences(readRecording('google/event-insert-recurring.json'), series.body)).toEqual([]);
    const day = await calendar('POST', EVENTS, {
      summary: 'x',
      start: { date: '2026-12-01' },
      end: { date: '2026-12-02' },
    });
    const recorded = readRecording<Json>('google/event-insert-all-day.json');
    expect(differences({ start: recorded.start, end: recorded.end, etag: recorded.etag }, day.body)).toEqual([]);
  });

  test('google: listings of masters, and a cancelled exception', async () => {
    const extendedProperties = { shared: { key: 'value' } };
    const { body } = await calendar(
      'POST',
      EVENTS,
      meeting({ recurrence: ['RRULE:FREQ=DAILY;COUNT=3'], extendedProperties }),
    );
    const list = await calendar('GET', EVENTS);
    expect(differences(readRecording('google/events-list-recurring-master.json'), list.body, UNUSED)).toEqual([]);
    const { items } = (await calendar('GET', `${EVENTS}?singleEvents=true`)).body as { items: { id: string }[] };
    await calendar('DELETE', `${EVENTS}/${items[1]?.id}`);
    const again = (await calendar('GET', EVENTS)).body as { items: Json[] };
    const cancelled = again.items.find(({ status }) => status === 'cancelled');
    expect(differences(readRecording('google/event-cancelled-exception.json'), cancelled)).toEqual([]);
    expect(cancelled?.recurringEventId).toBe(body.id);
  });

  test('google: expanded listings, instances, and the list of calendars', async () => {
    await calendar('POST', EVENTS, meeting({ recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'] }));
    const expanded = await calendar('GET', `${EVENTS}?singleEvents=true&orderBy=startTime&maxResults=2`);
    const single = await calendar('POST', EVENTS, meeting({ description: 'd', location: 'l' }));
    const page = readRecording<{ items: Json[] }>('google/events-list-single-events-expanded.json');
    expect(differences({ ...page, items: [] }, expanded.body)).toEqual([]);
    const [instance] = (expanded.body as { items: Json[] }).items;
    const isInstance = ({ recurringEventId }: Json) => recurringEventId !== undefined;
    const unused = UNUSED.map((path) => path.replace('items[].', ''));
    expect(differences(page.items.find(isInstance), instance, unused)).toEqual([]);
    expect(
      differences(
        page.items.find((item) => !isInstance(item)),
        single.body,
        unused,
      ),
    ).toEqual([]);
    const instances = readRecording<{ items: Json[] }>('google/events-instances.json');
    expect(differences(instances.items[0], instance, unused)).toEqual([]);
    const list = await calendar('GET', '/users/me/calendarList');
    expect(differences(readRecording('google/calendarList.json'), list.body, ['nextSyncToken', ...LOOKS])).toEqual([]);
  });

  test('google: refusals', async () => {
    const made = (await calendar('POST', EVENTS, meeting({ id: 'abcde01' }))).body;
    const faults: readonly [string, object][] = [
      ['403-rateLimitExceeded', { status: 403, reason: 'rateLimitExceeded' }],
      ['500-backendError', { status: 500 }],
    ];
    const answers: [string, Answer][] = [
      ['401-authError', await ask('GET', `/calendar/v3${EVENTS}`, 'wrong')],
      ['404-notFound', await calendar('GET', `${EVENTS}/neverseen`)],
      ['409-duplicate', await calendar('POST', EVENTS, meeting({ id: 'abcde01' }))],
      ['410-fullSyncRequired', await calendar('GET', `${EVENTS}?syncToken=old`)],
      ['412-conditionNotMet', await calendar('PATCH', `${EVENTS}/${made.id}`, {}, { 'if-match': '"stale"' })],
    ];
    for (const [name, fault] of faults) {
      await harness.admin('POST', '/faults', { ...fault, times: 1 });
      answers.push([name, await calendar('GET', EVENTS)]);
    }
    await harness.admin('PUT', '/settings', { google: { user_requests_per_minute: 0 } });
    answers.push(['403-userRateLimitExceeded', await calendar('GET', EVENTS)]);
    for (const [name, answer] of answers) {
      const recorded = readRecording<{ error: { errors: Json[] } }>(`google/error-${name}.json`);
      const { errors } = answer.body.error as { errors: Json[] };
      expect([name, differences(recorded, answer.body)]).toEqual([name, []]);
      expect([answer.status, errors[0]?.reason, errors[0]?.domain]).toEqual([
        Number(name.slice(0, 3)),
        name.slice(4),
        recorded.error.errors[0]?.domain,
      ]);
    }
  });

  test('google: a channel and what it delivers', async () => {
    const wish = { id: 'c-1', type: 'web_hook', address: receiver.url, token: 'secret' };
    const made = await calendar('POST', `${EVENTS}/watch`, wish);
    expect(differences(readRecording('google/watch-created.json'), made.body)).toEqual([]);
    await calendar('POST', EVENTS, meeting());
    for (const state of ['sync', 'exists']) {
      const { headers } = readRecording<{ headers: Record<string, string> }>(`google/push-${state}.json`);
      const { headers: sent, body } = await receiver.next((one) => one.headers['x-goog-resource-state'] === state);
      const names = Object.keys(headers).map((name) => name.toLowerCase());
      expect([names.filter((name) => sent[name] === undefined), body]).toEqual([[], '']);
    }
  });

  test('google: tokens, a dead grant, and free and busy', async () => {
    const fine = await askToken('/token', 'tests', google.refresh_token);
    expect(differences(readRecording('google/token-refresh-ok.json'), fine.body)).toEqual([]);
    const body = {
      timeMin: '2026-12-01T00:00:00Z',
      timeMax: '2026-12-02T00:00:00Z',
      items: [{ id: 'busy-calendar-id' }, { id: 'not-busy-calendar-id' }],
    };
    const spans = await calendar('POST', '/freeBusy', body);
    expect(differences(readRecording('google/freebusy-two-calendars.json'), spans.body)).toEqual([]);
    await harness.admin('POST', '/grants/revoke', {});
    const dead = await askToken('/token', 'tests', google.refresh_token);
    expect(dead.body).toEqual(readRecording('google/token-invalid-grant.json'));
  });
});
