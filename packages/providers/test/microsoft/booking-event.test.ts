import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CalendarPort } from '../../src/contract/index.ts';
import { KEY_PROPERTY, MARKER_PROPERTY } from '../../src/microsoft/booking-properties.ts';
import { buildDraft, signal, testTokens } from '../adapter-arguments.ts';
import { type AskedRequest, type LocalServer, startLocalServer } from '../local-server.ts';
import { graphItem, openTestCalendar, times } from './session.ts';

const DRAFT = buildDraft({ marker: { bookingId: 'b-1', connectionId: 'c-1', generation: 0, version: 1 } });
const TX = DRAFT.key.transactionId;
const EVENTS = '/v1.0/me/events';
let server: LocalServer;
let calendar: CalendarPort;

beforeEach(async () => {
  server = await startLocalServer();
  calendar = openTestCalendar(server.baseUrl);
});
afterEach(() => server.close());

const error = (status: number, code: string, headers = {}) => ({
  status,
  headers,
  body: { error: { code, message: 'Main street 1' } },
});
/** What Graph answers to a write: the event as it now stands. */
const written = (changes = {}) => ({
  status: 201,
  body: graphItem('E1', {
    subject: 'Haircut',
    ...times('2026-11-24T09:00:00', '2026-11-24T10:00:00'),
    transactionId: TX,
    ...changes,
  }),
});
const properties = (marker = JSON.stringify(DRAFT.marker), key = TX) => [
  { id: KEY_PROPERTY.toUpperCase().replace('STRING', 'String').replace('NAME', 'Name'), value: key },
  { id: MARKER_PROPERTY, value: marker },
];

describe('createEvent', () => {
  test('[O-1] writes the whole event, under its transaction id and without guests', async () => {
    server.on(`POST ${EVENTS}`, written());
    await expect(calendar.createEvent(DRAFT, signal)).resolves.toEqual({ eventId: 'E1', etag: 'W/"E1-1"' });
    const [asked] = server.requests as [AskedRequest];
    expect(asked.body).toEqual({
      subject: 'Haircut',
      body: { contentType: 'text', content: 'notes' },
      location: { displayName: 'Main street 1' },
      start: { dateTime: '2026-11-24T09:00:00.000', timeZone: 'UTC' },
      end: { dateTime: '2026-11-24T10:00:00.000', timeZone: 'UTC' },
      isAllDay: false,
      showAs: 'busy',
      transactionId: TX,
      singleValueExtendedProperties: [
        { id: KEY_PROPERTY, value: TX },
        { id: MARKER_PROPERTY, value: '{"bookingId":"b-1","connectionId":"c-1","generation":0,"version":1}' },
      ],
    });
    expect(asked.headers['content-type']).toBe('application/json');
    expect(asked.headers.prefer).toContain('IdType="ImmutableId"');
  });

  test('[O-1] empties what the booking does not have', async () => {
    server.on(`POST ${EVENTS}`, written());
    await calendar.createEvent(buildDraft({ description: null, location: null }), signal);
    expect(server.requests[0]?.body).toMatchObject({ body: { content: '' }, location: { displayName: '' } });
  });

  test('[O-1] writes into the calendar of the session', async () => {
    server.on('POST /v1.0/me/calendars/cal=/events', written());
    calendar = openTestCalendar(server.baseUrl, { calendarId: 'cal=' });
    await expect(calendar.createEvent(DRAFT, signal)).resolves.toMatchObject({ eventId: 'E1' });
  });

  test.each([
    ['other times', times('2026-11-24T08:00:00', '2026-11-24T09:00:00')],
    ['another title', { subject: 'Old title' }],
  ])('[O-3] is a conflict when Graph returns an event it already had, with %s', async (_, changes) => {
    server.on(`POST ${EVENTS}`, written(changes));
    await expect(calendar.createEvent(DRAFT, signal)).rejects.toMatchObject({
      kind: 'conflict',
      reason: 'created_earlier',
    });
  });

  test('[O-3] is a conflict when the transaction id belongs to another event', async () => {
    server.on(`POST ${EVENTS}`, error(409, 'ErrorDuplicateTransactionId'));
    await expect(calendar.createEvent(DRAFT, signal)).rejects.toMatchObject({
      kind: 'conflict',
      outcomeUnknown: false,
    });
  });

  test.each([
    ['cut connections', { hangUp: true }, 'connection_reset'],
    ['HTML from a proxy', { status: 502, body: '<html>bad gateway</html>' }, 'http_502'],
    ['a success without an event', { status: 201, body: {} }, 'unreadable_answer'],
    [
      'a success cut short',
      { status: 201, headers: { 'content-type': 'application/json' }, body: '{"id":' },
      'unreadable_answer',
    ],
  ])('[O-3] leaves open whether it happened on %s', async (_, reply, reason) => {
    server.on(`POST ${EVENTS}`, reply);
    await expect(calendar.createEvent(DRAFT, signal)).rejects.toMatchObject({
      kind: 'transient',
      reason,
      outcomeUnknown: true,
    });
  });

  test('[O-3] surely did not happen when nobody listens', async () => {
    await server.close();
    const refused = calendar.createEvent(DRAFT, signal);
    await expect(refused).rejects.toMatchObject({ reason: 'connection_refused', status: null, outcomeUnknown: false });
    server = await startLocalServer();
  });

  test('[R-1] is sent once: nothing in the client retries', async () => {
    server.on(`POST ${EVENTS}`, { status: 503, headers: { 'retry-after': '0' }, body: {} });
    await expect(calendar.createEvent(DRAFT, signal)).rejects.toMatchObject({ kind: 'transient', retryAfterMs: 0 });
    expect(server.requests).toHaveLength(1);
  });

  test('[B-3] fails without a word of token, title or place', async () => {
    server.on(`POST ${EVENTS}`, error(403, 'ErrorAccessDenied'));
    const failure = await calendar.createEvent(DRAFT, signal).catch((caught: Error) => caught);
    const { message, cause, stack } = failure as Error;
    expect(JSON.stringify([message, cause, stack, failure])).not.toMatch(/token-1|Haircut|Main street/);
    expect(failure).toMatchObject({ requestId: 'req-1', reason: 'ErrorAccessDenied' });
  });
});

describe('updateEvent', () => {
  const target = { eventId: 'E/1=', etag: 'W/"e1"' };

  test('[O-1] changes the event in place, only if it still has the etag', async () => {
    server.on('PATCH /v1.0/me/events/E/1=', written({ '@odata.etag': 'W/"e2"' }));
    await expect(calendar.updateEvent(target, DRAFT, signal)).resolves.toEqual({ eventId: 'E/1=', etag: 'W/"e2"' });
    const [asked] = server.requests as [AskedRequest];
    expect(asked.headers['if-match']).toBe('W/"e1"');
    expect(asked.body).toMatchObject({ subject: 'Haircut', isAllDay: false });
    expect(asked.body).not.toHaveProperty('transactionId');
    expect(asked.body).not.toHaveProperty('attendees');
  });

  test('[O-1] changes it whatever it has when no etag is known', async () => {
    server.on('PATCH /v1.0/me/events/E/1=', { status: 200 });
    await expect(calendar.updateEvent({ ...target, etag: null }, DRAFT, signal)).resolves.toEqual({
      eventId: 'E/1=',
      etag: null,
    });
    expect(server.requests[0]?.headers).not.toHaveProperty('if-match');
  });

  test.each([
    [412, 'ErrorIrresolvableConflict', 'conflict'],
    [404, 'ErrorItemNotFound', 'not_found'],
    [400, 'ErrorPropertyValidationFailure', 'permanent'],
  ])('[O-3] on %i %s is %s', async (status, code, kind) => {
    server.on('PATCH /v1.0/me/events/E/1=', error(status, code));
    await expect(calendar.updateEvent(target, DRAFT, signal)).rejects.toMatchObject({
      kind,
      operation: 'update_event',
    });
  });
});

describe('an occurrence of a series', () => {
  const target = { eventId: 'E/1=', etag: 'W/"e1"' };

  test('[O-1] that cannot be moved past its neighbours is taken out of it, to be written as a new event', async () => {
    server.on('PATCH /v1.0/me/events/E/1=', error(400, 'ErrorOccurrenceCrossingBoundary'));
    server.on('DELETE /v1.0/me/events/E/1=', { status: 204 });
    await expect(calendar.updateEvent(target, DRAFT, signal)).rejects.toMatchObject({
      kind: 'not_found',
      operation: 'update_event',
      reason: 'left_series',
    });
    expect(server.requests.at(-1)).toMatchObject({ method: 'DELETE' });
    expect(server.requests.at(-1)?.headers['if-match']).toBe(target.etag);
  });
});

describe('deleteEvent', () => {
  test('[O-1] removes the event, only if it still has the etag', async () => {
    server.on('DELETE /v1.0/me/events/E1', { status: 204 });
    await calendar.deleteEvent({ eventId: 'E1', etag: 'W/"e1"' }, signal);
    expect(server.requests[0]?.headers['if-match']).toBe('W/"e1"');
  });

  test.each([404, 410])('[O-1] has nothing to do on %i', async (status) => {
    server.on('DELETE /v1.0/me/events/E1', { status, body: {} });
    await expect(calendar.deleteEvent({ eventId: 'E1', etag: null }, signal)).resolves.toBeUndefined();
  });

  test('[O-3] is a conflict when the event moved on', async () => {
    server.on('DELETE /v1.0/me/events/E1', error(412, 'ErrorIrresolvableConflict'));
    await expect(calendar.deleteEvent({ eventId: 'E1', etag: 'W/"e1"' }, signal)).rejects.toMatchObject({
      kind: 'conflict',
    });
  });
});

describe('getEvent', () => {
  test('[O-3] reads times, etag and marker, and asks for no more', async () => {
    server.on('GET /v1.0/me/events/E1', { body: graphItem('E1', { singleValueExtendedProperties: properties() }) });
    await expect(calendar.getEvent('E1', signal)).resolves.toEqual({
      state: 'live',
      event: {
        ...{ eventId: 'E1', seriesId: null, etag: 'W/"E1-1"', marker: DRAFT.marker, creationKey: null },
        ...{ startAt: DRAFT.startAt, endAt: DRAFT.endAt },
      },
    });
    const [asked] = server.requests as [AskedRequest];
    expect(asked.query.get('$select')).not.toMatch(/subject|body|attendees|location/);
    expect(asked.query.get('$expand')).toBe(
      `singleValueExtendedProperties($filter=id eq '${KEY_PROPERTY}' or id eq '${MARKER_PROPERTY}')`,
    );
  });

  test('[O-3] has no marker for an event that is not ours', async () => {
    server.on('GET /v1.0/me/events/E1', { body: graphItem('E1') });
    await expect(calendar.getEvent('E1', signal)).resolves.toMatchObject({ event: { marker: null } });
  });

  test('[O-3] reads an event that its owner made an all-day one in the mailbox zone', async () => {
    server.on('GET /v1.0/me/events/E1', {
      body: graphItem('E1', { isAllDay: true, ...times('2026-11-24T00:00:00', '2026-11-25T00:00:00') }),
    });
    server.on('GET /v1.0/me/mailboxSettings', { body: { timeZone: 'Tokyo Standard Time' } });
    await expect(calendar.getEvent('E1', signal)).resolves.toMatchObject({
      event: { startAt: new Date('2026-11-23T15:00:00Z') },
    });
  });

  test.each([
    ['404', error(404, 'ErrorItemNotFound')],
    ['410', { status: 410, body: {} }],
    ['a cancelled event', { body: graphItem('E1', { isCancelled: true }) }],
  ])('[O-3] proves the event gone by %s', async (_, reply) => {
    server.on('GET /v1.0/me/events/E1', reply);
    await expect(calendar.getEvent('E1', signal)).resolves.toEqual({ state: 'gone' });
  });

  test.each([
    [503, 'transient'],
    [429, 'rate_limited'],
    [403, 'transient'],
    [401, 'auth_revoked'],
  ])('[O-3] proves nothing by a %i', async (status, kind) => {
    server.on('GET /v1.0/me/events/E1', { status, body: {} });
    await expect(calendar.getEvent('E1', signal)).rejects.toMatchObject({ kind });
  });
});

describe('findEvent', () => {
  test('[O-3] filters for the key in its own property', async () => {
    server.on(`GET ${EVENTS}`, { body: { value: [graphItem('E1', { singleValueExtendedProperties: properties() })] } });
    await expect(calendar.findEvent(DRAFT.key, signal)).resolves.toMatchObject({
      state: 'live',
      event: { eventId: 'E1', marker: DRAFT.marker },
    });
    expect(server.requests[0]?.query.get('$filter')).toBe(
      `singleValueExtendedProperties/Any(ep: ep/id eq '${KEY_PROPERTY}' and ep/value eq '${TX}')`,
    );
  });

  test('[O-3] looks through empty pages, and past events of other keys and cancelled ones', async () => {
    server.on(
      `GET ${EVENTS}`,
      { body: { value: [], '@odata.nextLink': `${server.baseUrl}${EVENTS}?$skip=10` } },
      {
        body: {
          value: [
            graphItem('E1'),
            graphItem('E2', { transactionId: TX, isCancelled: true }),
            graphItem('E3', { transactionId: TX }),
          ],
        },
      },
    );
    await expect(calendar.findEvent(DRAFT.key, signal)).resolves.toMatchObject({ event: { eventId: 'E3' } });
  });

  test('[O-3] looks again for what was on none of several pages, since a deletion moves events past their edges', async () => {
    const page = (value: object[], rest: object = {}) => ({ body: { value, ...rest } });
    const more = { '@odata.nextLink': `${server.baseUrl}${EVENTS}?$skip=1000` };
    const other = graphItem('E1', { transactionId: 'other' });
    const wanted = graphItem('E2', { transactionId: TX });
    server.on(`GET ${EVENTS}`, page([other], more), page([]), page([other, wanted], more), page([]));
    await expect(calendar.findEvent(DRAFT.key, signal)).resolves.toMatchObject({ event: { eventId: 'E2' } });
    expect(server.requests[0]?.query.get('$top')).toBe('1000');
    expect(server.requests).toHaveLength(3);
  });

  test('[O-3] finds nothing in an empty list', async () => {
    server.on(`GET ${EVENTS}`, { body: { value: [] } });
    await expect(calendar.findEvent(DRAFT.key, signal)).resolves.toEqual({ state: 'gone' });
  });

  test('[O-3] proves nothing when the list fails', async () => {
    server.on(`GET ${EVENTS}`, { status: 200, body: 'no list' });
    await expect(calendar.findEvent(DRAFT.key, signal)).rejects.toMatchObject({
      kind: 'transient',
      reason: 'unreadable_answer',
    });
  });
});

describe('the token', () => {
  test('[A-1] is reported when Graph refuses it, and the call fails as auth_revoked', async () => {
    const tokens = testTokens('old');
    calendar = openTestCalendar(server.baseUrl, { tokens });
    server.on('GET /v1.0/me/events/E1', error(401, 'InvalidAuthenticationToken'));
    await expect(calendar.getEvent('E1', signal)).rejects.toMatchObject({
      kind: 'auth_revoked',
      reason: 'InvalidAuthenticationToken',
      status: 401,
    });
    expect(tokens.rejections).toEqual(['old']);
  });

  test('[A-1] that cannot be had fails the call with the failure of its source', async () => {
    const dead = new Error('grant is dead');
    calendar = openTestCalendar(server.baseUrl, {
      tokens: {
        accessToken: async () => {
          throw dead;
        },
        rejected: () => {},
      },
    });
    await expect(calendar.getEvent('E1', signal)).rejects.toBe(dead);
    expect(server.requests).toHaveLength(0);
  });
});

describe('a stopped call', () => {
  test.each([
    ['timeout', new DOMException('late', 'TimeoutError')],
    ['aborted', new Error('lease lost')],
  ])('[R-1] ends at once as %s', async (reason, why) => {
    const controller = new AbortController();
    server.on('GET /v1.0/me/events/E1', async () => {
      controller.abort(why);
      await new Promise(() => {});
      return {};
    });
    await expect(calendar.getEvent('E1', controller.signal)).rejects.toMatchObject({ kind: 'transient', reason });
  });
});
