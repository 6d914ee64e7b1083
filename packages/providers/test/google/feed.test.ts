/** The feed through Google's own client: what is asked, in which order, and what becomes of the answers. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ListChangesRequest } from '../../src/contract/index.ts';
import { signal, WINDOW } from '../adapter-arguments.ts';
import { type LocalServer, startLocalServer } from '../local-server.ts';
import { EVENTS, googleItem, openTestCalendar, refusal } from './session.ts';

const LIST = `GET ${EVENTS}`;
const baseline: ListChangesRequest = { cursor: null, page: null, window: WINDOW };

let server: LocalServer;
beforeEach(async () => {
  server = await startLocalServer();
});
afterEach(() => server.close());

const lastQuery = () => Object.fromEntries(server.requests.at(-1)?.query ?? []);

describe('a baseline', () => {
  test('[I-1] asks for the window, expanded, and for no word of content', async () => {
    server.on(LIST, { body: { items: [], nextSyncToken: 's1', timeZone: 'UTC' } });
    await openTestCalendar(server.baseUrl).listChanges(baseline, signal);
    const { fields, ...query } = lastQuery();
    expect(query).toEqual({
      singleEvents: 'true',
      maxResults: '2500',
      maxAttendees: '1',
      timeMin: '2026-11-19T00:00:00.000Z',
      timeMax: '2027-02-19T00:00:00.000Z',
    });
    expect(fields).not.toMatch(/summary|description|location|creator|organizer|email|displayName|htmlLink/);
    expect(fields).toContain('attendees(self,responseStatus)');
  });

  test('[I-1] has its cursor on the last page only, and repeats the window on every page', async () => {
    server.on(
      LIST,
      { body: { items: [googleItem('a')], nextPageToken: 'p2', timeZone: 'UTC' } },
      { body: { items: [googleItem('b')], nextSyncToken: 's1', timeZone: 'UTC' } },
    );
    const calendar = openTestCalendar(server.baseUrl);
    const first = await calendar.listChanges(baseline, signal);
    const second = await calendar.listChanges({ ...baseline, page: first.nextPage }, signal);
    expect([first.nextPage, first.cursor]).toEqual(['p2', null]);
    expect(second.nextPage).toBeNull();
    expect(second.cursor).not.toBeNull();
    expect(lastQuery()).toMatchObject({ pageToken: 'p2', timeMin: '2026-11-19T00:00:00.000Z' });
  });

  test('[I-3] reads whole days in the zone of the list', async () => {
    const allDay = googleItem('a', { start: { date: '2026-11-24' }, end: { date: '2026-11-25' } });
    server.on(LIST, { body: { items: [allDay], nextSyncToken: 's1', timeZone: 'Pacific/Auckland' } });
    const { changes } = await openTestCalendar(server.baseUrl).listChanges(baseline, signal);
    expect(changes).toMatchObject([{ startAt: new Date('2026-11-23T11:00:00Z') }]);
  });

  test('[I-5] one item that cannot be read stops no other', async () => {
    const free = { id: 'free', status: 'confirmed', transparency: 'transparent' };
    const items = [{ id: 'broken', status: 'confirmed', recurringEventId: 'series' }, null, free, googleItem('a')];
    server.on(LIST, { body: { items, nextSyncToken: 's1', timeZone: 'UTC' } });
    const page = await openTestCalendar(server.baseUrl).listChanges(baseline, signal);
    expect(page.unreadable).toEqual([
      { eventId: 'broken', seriesId: 'series', reason: 'no_start' },
      { eventId: null, seriesId: null, reason: 'no_id' },
    ]);
    // What surely leaves its owner free is no doubt.
    expect(page.changes).toMatchObject([{ kind: 'tombstone', eventId: 'free' }, { eventId: 'a' }]);
  });

  test('keeps content out of what it returns', async () => {
    server.on(LIST, { body: { items: [googleItem('a')], nextSyncToken: 's1', timeZone: 'UTC' } });
    const page = await openTestCalendar(server.baseUrl).listChanges(baseline, signal);
    expect(JSON.stringify(page)).not.toMatch(/private|example\.com/);
  });
});

describe('an increment', () => {
  async function openWithCursor() {
    server.on(LIST, { body: { items: [], nextSyncToken: 's1', timeZone: 'UTC' } });
    const calendar = openTestCalendar(server.baseUrl);
    const { cursor } = await calendar.listChanges(baseline, signal);
    return { calendar, increment: { cursor, page: null, window: WINDOW } };
  }

  test('[I-1] repeats the parameters of its baseline, without the window', async () => {
    const { calendar, increment } = await openWithCursor();
    const { timeMin, timeMax, ...parameters } = lastQuery();
    server.on(
      LIST,
      { body: { items: [], nextPageToken: 'p2', timeZone: 'UTC' } },
      { body: { items: [], nextSyncToken: 's2', timeZone: 'UTC' } },
    );
    const first = await calendar.listChanges(increment, signal);
    expect(lastQuery()).toEqual({ ...parameters, syncToken: 's1' });
    const second = await calendar.listChanges({ ...increment, page: first.nextPage }, signal);
    expect(lastQuery()).toEqual({ ...parameters, syncToken: 's1', pageToken: 'p2' });
    server.on(LIST, { body: { items: [], nextSyncToken: 's3', timeZone: 'UTC' } });
    await calendar.listChanges({ ...increment, cursor: second.cursor }, signal);
    expect(lastQuery()).toMatchObject({ syncToken: 's2' });
    expect([timeMin, timeMax]).not.toContain(undefined);
  });

  test('[I-1] is clipped to the window, which Google forgets', async () => {
    const { calendar, increment } = await openWithCursor();
    const late = googleItem('late', {
      start: { dateTime: '2040-01-01T00:00:00Z' },
      end: { dateTime: '2040-01-01T01:00:00Z' },
    });
    server.on(LIST, { body: { items: [late], nextSyncToken: 's2', timeZone: 'UTC' } });
    const { changes } = await calendar.listChanges(increment, signal);
    expect(changes).toEqual([{ kind: 'tombstone', eventId: 'late', seriesId: null }]);
  });

  test('[I-1] drops the single event that became a series, before its occurrences', async () => {
    const { calendar, increment } = await openWithCursor();
    const occurrences = ['s_1', 's_2'].map((id) => googleItem(id, { recurringEventId: 's' }));
    server.on(LIST, { body: { items: occurrences, nextSyncToken: 's2', timeZone: 'UTC' } });
    const { changes } = await calendar.listChanges(increment, signal);
    expect(changes.map((change) => [change.kind, 'eventId' in change ? change.eventId : null])).toEqual([
      ['tombstone', 's'],
      ['event', 's_1'],
      ['event', 's_2'],
    ]);
  });

  test('[I-1] does not drop a single event for the cancelled occurrences of what it was before', async () => {
    const { calendar, increment } = await openWithCursor();
    const items = [googleItem('s'), { id: 's_1', status: 'cancelled', recurringEventId: 's' }];
    server.on(LIST, { body: { items, nextSyncToken: 's2', timeZone: 'UTC' } });
    const { changes } = await calendar.listChanges(increment, signal);
    expect(changes).toMatchObject([
      { kind: 'event', eventId: 's' },
      { kind: 'tombstone', eventId: 's_1', seriesId: 's' },
    ]);
  });

  test.each([['fullSyncRequired'], ['updatedMinTooLongAgo']])('[I-1] 410 %s asks for a fresh start', async (reason) => {
    const { calendar, increment } = await openWithCursor();
    server.on(LIST, refusal(410, reason));
    await expect(calendar.listChanges(increment, signal)).rejects.toMatchObject({ kind: 'cursor_expired', reason });
  });

  test('[I-1] after a round without a token starts afresh, without asking Google first', async () => {
    server.on(LIST, { body: { items: [googleItem('a')], timeZone: 'UTC' } });
    const calendar = openTestCalendar(server.baseUrl);
    const { cursor, changes } = await calendar.listChanges(baseline, signal);
    expect(changes).toHaveLength(1);
    const asked = server.requests.length;
    const next = calendar.listChanges({ ...baseline, cursor }, signal);
    await expect(next).rejects.toMatchObject({ kind: 'cursor_expired', reason: 'no_sync_token' });
    expect(server.requests).toHaveLength(asked);
  });
});
