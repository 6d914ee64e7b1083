/** A booking's event through Google's own client. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { buildDraft, signal } from '../adapter-arguments.ts';
import { type LocalServer, startLocalServer } from '../local-server.ts';
import { EVENTS, googleItem, openTestCalendar, refusal } from './session.ts';

const ID = buildDraft().key.googleEventId;
const GET = `GET ${EVENTS}/${ID}`;
const INSERT = `POST ${EVENTS}`;
const PATCH = `PATCH ${EVENTS}/${ID}`;
const DELETE = `DELETE ${EVENTS}/${ID}`;
const LIST = `GET ${EVENTS}`;
const properties = {
  bookiji_booking: '6f1d9f5e-2d0f-4c67-9c0e-3b8f3f6f2a10',
  bookiji_connection: '0b9c3d44-7f53-4f0e-8a51-5a52a7cbb0aa',
  bookiji_generation: '0',
  bookiji_version: '1',
};
const ours = (changes: Record<string, unknown> = {}) =>
  googleItem(ID, { extendedProperties: { private: properties }, ...changes });

let server: LocalServer;
beforeEach(async () => {
  server = await startLocalServer();
});
afterEach(() => server.close());
const open = () => openTestCalendar(server.baseUrl);
const lastRequest = () => server.requests.at(-1);

describe('createEvent', () => {
  test('[O-3] gives the event an id of ours, our marker and no guests, and asks for no mail', async () => {
    server.on(INSERT, { body: ours({ etag: '"77"' }) });
    const written = await open().createEvent(buildDraft(), signal);
    expect(written).toEqual({ eventId: ID, etag: '"77"' });
    expect(lastRequest()?.body).toEqual({
      id: ID,
      summary: 'Haircut',
      description: 'notes',
      location: 'Main street 1',
      start: { dateTime: '2026-11-24T09:00:00.000Z', timeZone: 'America/Toronto' },
      end: { dateTime: '2026-11-24T10:00:00.000Z', timeZone: 'America/Toronto' },
      extendedProperties: { private: properties },
    });
    expect(Object.fromEntries(lastRequest()?.query ?? [])).toEqual({ sendUpdates: 'none', fields: 'id,status,etag' });
  });

  test('[O-3] meets a taken id as a conflict', async () => {
    server.on(INSERT, refusal(409, 'duplicate'));
    await expect(open().createEvent(buildDraft(), signal)).rejects.toMatchObject({
      kind: 'conflict',
      outcomeUnknown: false,
    });
  });

  test.each([
    ['the connection breaks', { hangUp: true }, 'connection_reset'],
    ['the server fails', { status: 503, body: '<html>' }, 'http_503'],
    ['the answer is a page of somebody else', { body: '<html>signed in</html>' }, 'unreadable_answer'],
    [
      'the answer is cut',
      { headers: { 'content-type': 'application/json' }, body: '{"id": "0123' },
      'unreadable_answer',
    ],
  ])('[O-3] does not know what happened when %s', async (_, reply, reason) => {
    server.on(INSERT, reply);
    const failed = open().createEvent(buildDraft(), signal);
    await expect(failed).rejects.toMatchObject({ kind: 'transient', reason, outcomeUnknown: true });
  });

  test('is never repeated by the client itself', async () => {
    server.on(INSERT, { status: 503, body: {} });
    await expect(open().createEvent(buildDraft(), signal)).rejects.toMatchObject({ kind: 'transient' });
    expect(server.asked(INSERT)).toHaveLength(1);
  });
});

describe('updateEvent', () => {
  const target = { eventId: ID, etag: '"1"' };

  test('[O-3] patches against the known etag and takes an all-day date away', async () => {
    server.on(PATCH, { body: ours({ etag: '"2"' }) });
    const draft = buildDraft({ description: null, location: null });
    expect(await open().updateEvent(target, draft, signal)).toEqual({ eventId: ID, etag: '"2"' });
    expect(lastRequest()?.headers['if-match']).toBe('"1"');
    expect(lastRequest()?.query.get('sendUpdates')).toBe('none');
    expect(lastRequest()?.body).toMatchObject({
      description: null,
      location: null,
      start: { dateTime: '2026-11-24T09:00:00.000Z', timeZone: 'America/Toronto', date: null },
    });
    expect(lastRequest()?.body).not.toHaveProperty('status');
    expect(lastRequest()?.body).not.toHaveProperty('attendees');
  });

  test('matches nothing when no etag is known', async () => {
    server.on(PATCH, { body: ours() });
    await open().updateEvent({ eventId: ID, etag: null }, buildDraft(), signal);
    expect(lastRequest()?.headers).not.toHaveProperty('if-match');
  });

  test.each([
    ['moved on', refusal(412, 'conditionNotMet'), 'conflict'],
    ['is not there', refusal(404, 'notFound'), 'not_found'],
    ['was deleted', refusal(410, 'deleted'), 'not_found'],
  ])('[O-3] an event that %s is not written', async (_, reply, kind) => {
    server.on(PATCH, reply);
    await expect(open().updateEvent(target, buildDraft(), signal)).rejects.toMatchObject({ kind });
  });

  test('[O-3] an event that was patched in the bin is gone all the same', async () => {
    server.on(PATCH, { body: ours({ status: 'cancelled' }) });
    await expect(open().updateEvent(target, buildDraft(), signal)).rejects.toMatchObject({
      kind: 'not_found',
      reason: 'deleted',
    });
  });

  test('a plain refusal is looked into: a deleted event is not found', async () => {
    server.on(PATCH, refusal(403, 'forbidden'));
    server.on(GET, { body: ours({ status: 'cancelled' }) });
    await expect(open().updateEvent(target, buildDraft(), signal)).rejects.toMatchObject({ kind: 'not_found' });
  });

  test('a plain refusal is looked into: a live event may not be written', async () => {
    server.on(PATCH, refusal(403, 'forbidden'));
    server.on(GET, { body: ours() });
    await expect(open().updateEvent(target, buildDraft(), signal)).rejects.toMatchObject({ kind: 'permanent' });
  });
});

describe('deleteEvent', () => {
  test('[O-1] deletes against the known etag, without mail', async () => {
    server.on(DELETE, { status: 204 });
    await open().deleteEvent({ eventId: ID, etag: '"1"' }, signal);
    expect(lastRequest()?.headers['if-match']).toBe('"1"');
    expect(lastRequest()?.query.get('sendUpdates')).toBe('none');
  });

  test.each([
    [404, 'notFound'],
    [410, 'deleted'],
  ])('[O-1] is done when it is gone already (%p %s)', async (status, reason) => {
    server.on(DELETE, refusal(status, reason));
    await expect(open().deleteEvent({ eventId: ID, etag: null }, signal)).resolves.toBeUndefined();
  });

  test('[O-1] is a conflict when the event moved on', async () => {
    server.on(DELETE, refusal(412, 'conditionNotMet'));
    await expect(open().deleteEvent({ eventId: ID, etag: '"1"' }, signal)).rejects.toMatchObject({ kind: 'conflict' });
  });
});

describe('getEvent and findEvent', () => {
  test('read a live event with its marker and nothing of its content', async () => {
    server.on(GET, { body: ours({ etag: '"9"' }) });
    const reading = await open().getEvent(ID, signal);
    expect(reading).toEqual({
      state: 'live',
      event: {
        eventId: ID,
        seriesId: null,
        creationKey: null,
        etag: '"9"',
        startAt: new Date('2026-11-24T09:00:00Z'),
        endAt: new Date('2026-11-24T10:00:00Z'),
        marker: {
          bookingId: properties.bookiji_booking,
          connectionId: properties.bookiji_connection,
          generation: 0,
          version: 1,
        },
      },
    });
    expect(lastRequest()?.query.get('fields')).not.toMatch(/summary|description|attendees/);
  });

  test('ask for the calendar’s zone only for an event that was made all-day', async () => {
    server.on(GET, { body: ours({ start: { date: '2026-11-24' }, end: { date: '2026-11-25' } }) });
    server.on(LIST, { body: { timeZone: 'Asia/Tokyo' } });
    const reading = await open().findEvent(buildDraft().key, signal);
    expect(reading).toMatchObject({ state: 'live', event: { startAt: new Date('2026-11-23T15:00:00Z') } });
    expect(server.asked(LIST)).toHaveLength(1);
  });

  test.each([
    ['cancelled', { body: { id: ID, status: 'cancelled' } }],
    ['410', refusal(410, 'deleted')],
    ['404', refusal(404, 'notFound')],
  ])('[O-1] find an event gone that Google answers with %s', async (_, reply) => {
    server.on(GET, reply);
    server.on(LIST, { body: { timeZone: 'UTC' } });
    expect(await open().getEvent(ID, signal)).toEqual({ state: 'gone' });
    expect(await open().findEvent(buildDraft().key, signal)).toEqual({ state: 'gone' });
  });

  test('[O-1] take no event for deleted on a calendar that is lost altogether', async () => {
    server.on(GET, refusal(404, 'notFound'));
    server.on(LIST, refusal(404, 'notFound'));
    await expect(open().getEvent(ID, signal)).rejects.toMatchObject({ kind: 'not_found', operation: 'get_event' });
  });

  test.each([
    ['503', { status: 503, body: {} }],
    ['a proxy’s 404', { status: 404, body: '<html>no route</html>' }],
    ['a broken connection', { hangUp: true }],
  ])('[O-1] prove nothing with %s', async (_, reply) => {
    server.on(GET, reply);
    await expect(open().getEvent(ID, signal)).rejects.toMatchObject({ kind: 'transient' });
  });
});
