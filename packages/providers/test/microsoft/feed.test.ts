import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CalendarPort, Change, ChangePage } from '../../src/contract/index.ts';
import { signal, testTokens, WINDOW } from '../adapter-arguments.ts';
import { type LocalServer, startLocalServer } from '../local-server.ts';
import { graphItem, master, occurrence, openTestCalendar, REMOVED, times } from './session.ts';

const DELTA = 'GET /v1.0/me/calendarView/delta';
let server: LocalServer;
let calendar: CalendarPort;

beforeEach(async () => {
  server = await startLocalServer();
  calendar = openTestCalendar(server.baseUrl);
});
afterEach(() => server.close());

const link = (name: string) => `${server.baseUrl}/v1.0/me/calendarView/delta?$${name}`;
const lastPage = (...value: unknown[]) => ({ body: { value, '@odata.deltaLink': link('deltatoken=d1') } });
const page = (name: string, ...value: unknown[]) => ({ body: { value, '@odata.nextLink': link(`skiptoken=${name}`) } });
const first = (cursor: string | null = null) => calendar.listChanges({ cursor, page: null, window: WINDOW }, signal);
const increment = () => first(link('deltatoken=d0'));

/** Reads a round to its end. */
async function readRound(cursor: string | null): Promise<ChangePage[]> {
  const pages: ChangePage[] = [];
  let next: string | null = null;
  do {
    const read: ChangePage = await calendar.listChanges({ cursor, page: next, window: WINDOW }, signal);
    pages.push(read);
    next = read.nextPage;
  } while (next !== null);
  return pages;
}

/** What a caller that applies a round holds of the series afterwards; `held` is what it held before. */
function apply(pages: readonly ChangePage[], held: Record<string, string | null>): string[] {
  const series = new Map(Object.entries(held));
  for (const { changes } of pages) {
    for (const change of changes) {
      if (change.kind === 'series_reset') for (const [id, of] of series) if (of === change.seriesId) series.delete(id);
      if (change.kind === 'tombstone') series.delete(change.eventId);
      if (change.kind === 'event') series.set(change.eventId, change.seriesId);
    }
  }
  return [...series.keys()].sort();
}

const summary = (changes: readonly Change[]) =>
  changes.map((change) =>
    change.kind === 'event'
      ? `${change.eventId}${change.blocks ? '' : ' free'}`
      : change.kind === 'tombstone'
        ? `-${change.eventId}`
        : `reset ${change.seriesId}`,
  );

describe('a round', () => {
  test('[I-1] asks for the window once, then follows next and delta links letter by letter', async () => {
    server.on(DELTA, page('a%2Bb', graphItem('e1')), lastPage(graphItem('e2')), lastPage());
    const pages = await readRound(null);
    await first(pages[1]?.cursor ?? '');

    const [asked, next, incremental] = server.asked(DELTA);
    expect(asked?.query.get('startDateTime')).toBe('2026-11-19T00:00:00.000Z');
    expect(asked?.query.get('endDateTime')).toBe('2027-02-19T00:00:00.000Z');
    expect([...(next?.query ?? [])]).toEqual([['$skiptoken', 'a+b']]);
    expect([...(incremental?.query ?? [])]).toEqual([['$deltatoken', 'd1']]);
    expect(pages.map((read) => [read.nextPage, read.cursor])).toEqual([
      [link('skiptoken=a%2Bb'), null],
      [null, link('deltatoken=d1')],
    ]);
  });

  test('[I-1] says on every page which ids, zone and page size it wants', async () => {
    server.on(DELTA, page('p2'), lastPage());
    await readRound(null);
    for (const asked of server.asked(DELTA)) {
      expect(asked.headers.prefer).toBe('IdType="ImmutableId", outlook.timezone="UTC", odata.maxpagesize=100');
      expect(asked.headers.authorization).toBe('Bearer token-1');
    }
    expect(server.asked(DELTA)).toHaveLength(2);
  });

  test('[I-1] reads a calendar that is not the default one below its own address', async () => {
    server.on('GET /v1.0/me/calendars/AAMk=/x/calendarView/delta', lastPage());
    calendar = openTestCalendar(server.baseUrl, { calendarId: 'AAMk=/x' });
    expect((await first()).cursor).toBe(link('deltatoken=d1'));
  });

  test('[I-1] goes on after an empty page', async () => {
    server.on(DELTA, page('p2'), lastPage(graphItem('e1')));
    expect((await readRound(null)).flatMap((read) => summary(read.changes))).toEqual(['e1']);
  });

  test('[I-1] takes the last state of an event that a page repeats', async () => {
    server.on(DELTA, lastPage(graphItem('e1'), REMOVED('e2'), graphItem('e1', { showAs: 'free' }), graphItem('e2')));
    expect(summary((await first()).changes)).toEqual(['e1 free', 'e2']);
  });

  test('[I-2] keeps reading past items it cannot understand', async () => {
    const odd = graphItem('e2', { start: null });
    server.on(
      DELTA,
      lastPage(
        { subject: 'no id' },
        odd,
        graphItem('e4', { start: null, showAs: 'free' }),
        graphItem('e3', times('2026-11-24T10:00:00', '2026-11-24T09:00:00')),
        graphItem('e1'),
      ),
    );
    const read = await first();
    // What surely leaves its owner free is no doubt.
    expect(summary(read.changes)).toEqual(['-e4', 'e1']);
    expect(read.unreadable).toEqual([
      { eventId: null, seriesId: null, reason: 'no_id' },
      { eventId: 'e2', seriesId: null, reason: 'no_start' },
      { eventId: 'e3', seriesId: null, reason: 'end_before_start' },
    ]);
  });

  test('[B-3] carries nothing of subjects, bodies and guests', async () => {
    server.on(DELTA, lastPage(graphItem('e1')));
    expect(JSON.stringify(await first())).not.toMatch(/private|guest/i);
  });

  test('[O-3] repeats the transaction id, by which our own event is recognised', async () => {
    server.on(DELTA, lastPage(graphItem('e1', { transactionId: 'tx-1' })));
    expect((await first()).changes[0]).toMatchObject({ creationKey: 'tx-1', marker: null, etag: 'W/"e1-1"' });
  });
});

describe('a lost place in the feed', () => {
  test.each([
    [410, 'syncStateNotFound'],
    [410, 'SyncStateNotFound'],
    [400, 'resyncRequired'],
    [404, 'SyncStateInvalid'],
  ])('[I-1] is cursor_expired on %i %s', async (status, code) => {
    server.on(DELTA, { status, body: { error: { code, message: 'x' } } });
    await expect(increment()).rejects.toMatchObject({ kind: 'cursor_expired', operation: 'list_changes', status });
  });

  test('[I-1] is cursor_expired on a 410 with nothing but a Location', async () => {
    server.on(DELTA, { status: 410, headers: { location: link('deltatoken=') }, body: '' });
    await expect(increment()).rejects.toMatchObject({ kind: 'cursor_expired', reason: 'http_410' });
  });

  test('[I-1] is cursor_expired in the middle of a round too', async () => {
    server.on(DELTA, page('p2', graphItem('e1')), { status: 410, body: { error: { code: 'syncStateNotFound' } } });
    await expect(readRound(null)).rejects.toMatchObject({ kind: 'cursor_expired' });
  });

  test('[I-1] is seen when Graph calls its own link malformed, but not when it refuses the window', async () => {
    server.on(DELTA, { status: 400, body: { error: { code: 'BadRequest' } } });
    await expect(increment()).rejects.toMatchObject({ kind: 'cursor_expired', reason: 'BadRequest' });
    await expect(first()).rejects.toMatchObject({ kind: 'permanent', reason: 'BadRequest' });
  });
});

describe('a foreign link', () => {
  test.each(['https://graph.example.net/v1.0/me/calendarView/delta?$deltatoken=x', 'not a link'])(
    '[A-1] [I-4] as a cursor has the calendar read afresh, and no token leaves: %s',
    async (cursor) => {
      const tokens = testTokens();
      calendar = openTestCalendar(server.baseUrl, { tokens });
      await expect(first(cursor)).rejects.toMatchObject({
        kind: 'cursor_expired',
        reason: 'foreign_link',
        outcomeUnknown: false,
      });
      expect(server.requests).toHaveLength(0);
    },
  );

  test('[A-1] to another server gets no request at all', async () => {
    const other = await startLocalServer();
    try {
      await expect(first(`${other.baseUrl}/v1.0/me/calendarView/delta`)).rejects.toMatchObject({
        reason: 'foreign_link',
      });
      expect(other.requests).toHaveLength(0);
    } finally {
      await other.close();
    }
  });

  test('[A-1] in an answer is refused before it is stored', async () => {
    server.on(DELTA, { body: { value: [], '@odata.deltaLink': 'https://graph.example.net/v1.0/x' } });
    await expect(first()).rejects.toMatchObject({ kind: 'permanent', reason: 'foreign_link' });
  });

  test('[A-1] behind a redirect is not followed', async () => {
    server.on(DELTA, { status: 302, headers: { location: `${server.baseUrl}/elsewhere` }, body: '' });
    await expect(first()).rejects.toMatchObject({ kind: 'transient', reason: 'unknown_302' });
    expect(server.requests).toHaveLength(1);
  });
});

describe('occurrences', () => {
  test('[I-3] take what they lack from the master on their page, which is no busy time itself', async () => {
    server.on(
      DELTA,
      lastPage(
        occurrence('o1', 'm1', '2026-11-24'),
        master('m1', { showAs: 'free' }),
        occurrence('o2', 'm2', '2026-11-25'),
        master('m2'),
      ),
    );
    const { changes } = await first();
    expect(summary(changes)).toEqual(['reset m1', 'reset m2', 'o1 free', 'o2']);
    expect(changes[2]).toMatchObject({ seriesId: 'm1', icalUid: null, startAt: new Date('2026-11-24T09:00:00Z') });
  });

  test('[I-3] remember their master from an earlier page of the round', async () => {
    server.on(
      DELTA,
      page('p2', master('m1', { showAs: 'workingElsewhere' })),
      lastPage(occurrence('o1', 'm1', '2026-11-24')),
    );
    expect((await readRound(null)).flatMap((read) => summary(read.changes))).toEqual(['reset m1', 'o1 free']);
    expect(server.requests).toHaveLength(2);
  });

  test('[I-3] ask once for a master that no page shows, and for no more of it than needed', async () => {
    server.on(DELTA, page('p2', occurrence('o1', 'm1', '2026-11-24')), lastPage(occurrence('o2', 'm1', '2026-12-01')));
    server.on('GET /v1.0/me/events/m1', { body: master('m1', { showAs: 'free' }) });
    expect((await readRound(null)).flatMap((read) => summary(read.changes))).toEqual([
      'reset m1',
      'o1 free',
      'o2 free',
    ]);
    const asked = server.asked('GET /v1.0/me/events/m1');
    expect(asked).toHaveLength(1);
    expect(asked[0]?.query.get('$select')).not.toMatch(/subject|body|attendees|location/);
  });

  test('[I-3] are busy when their master cannot be read', async () => {
    server.on(DELTA, lastPage(occurrence('o1', 'm1', '2026-11-24')));
    server.on('GET /v1.0/me/events/m1', { status: 404, body: { error: { code: 'ErrorItemNotFound' } } });
    expect(summary((await first()).changes)).toEqual(['reset m1', 'o1']);
  });

  test('[I-5] fail the page when the master cannot be asked for now', async () => {
    server.on(DELTA, lastPage(occurrence('o1', 'm1', '2026-11-24')));
    server.on('GET /v1.0/me/events/m1', { status: 429, headers: { 'retry-after': '7' }, body: {} });
    await expect(first()).rejects.toMatchObject({ kind: 'rate_limited', retryAfterMs: 7_000 });
  });

  test('[I-3] that were changed speak for themselves', async () => {
    const exception = graphItem('x1', { type: 'exception', seriesMasterId: 'm1', showAs: 'free' });
    server.on(DELTA, lastPage(master('m1'), occurrence('o1', 'm1', '2026-11-24'), exception));
    expect(summary((await first()).changes)).toEqual(['reset m1', 'o1', 'x1 free']);
  });
});

describe('a series that changed', () => {
  const held = { o1: 'm1', o2: 'm1', o3: 'm1', e9: null };
  const INSTANCES = 'GET /v1.0/me/events/m1/instances';

  test('[I-2] loses a deleted occurrence, of which the feed says nothing', async () => {
    server.on(
      DELTA,
      lastPage(master('m1'), occurrence('o1', 'm1', '2026-11-24'), occurrence('o3', 'm1', '2026-12-08')),
    );
    expect(apply([await increment()], held)).toEqual(['e9', 'o1', 'o3']);
    expect(server.requests).toHaveLength(1);
  });

  test('[I-2] keeps all its occurrences when it spans two pages', async () => {
    server.on(
      DELTA,
      page('p2', master('m1'), occurrence('o1', 'm1', '2026-11-24')),
      lastPage(occurrence('o2', 'm1', '2026-12-01'), occurrence('o3', 'm1', '2026-12-08')),
    );
    expect(apply(await readRound(link('deltatoken=d0')), held)).toEqual(['e9', 'o1', 'o2', 'o3']);
  });

  test('[I-2] is read whole when only an exception of it comes', async () => {
    const exception = graphItem('o2', { type: 'exception', seriesMasterId: 'm1' });
    server.on(DELTA, lastPage(exception));
    server.on(INSTANCES, {
      body: {
        value: [{ ...occurrence('o1', 'm1', '2026-11-24'), showAs: 'busy' }],
        '@odata.nextLink': `${server.baseUrl}/v1.0/me/events/m1/instances2`,
      },
    });
    server.on('GET /v1.0/me/events/m1/instances2', { body: { value: [exception] } });
    expect(apply([await increment()], held)).toEqual(['e9', 'o1', 'o2']);
    const [asked] = server.asked(INSTANCES);
    expect(asked?.query.get('startDateTime')).toBe(WINDOW.startAt.toISOString());
    expect(asked?.query.get('endDateTime')).toBe(WINDOW.endAt.toISOString());
  });

  test('[I-2] is emptied when its master comes alone and Graph lists nothing more in the window', async () => {
    server.on(DELTA, lastPage(master('m1')));
    server.on(INSTANCES, { body: { value: [] } });
    expect(apply([await increment()], held)).toEqual(['e9']);
  });

  test('[I-2] keeps what is held when an exception comes alone and the series cannot be listed', async () => {
    server.on(DELTA, lastPage(graphItem('o2', { type: 'exception', seriesMasterId: 'm1', showAs: 'free' })));
    server.on(INSTANCES, { status: 501, body: {} });
    server.on('GET /v1.0/me/events/m1', { body: master('m1') });
    const read = await increment();
    expect(summary(read.changes)).toEqual(['o2 free']);
    expect(apply([read], held)).toEqual(['e9', 'o1', 'o2', 'o3']);
  });

  test('[I-2] is taken as the page has it when occurrences come without their master and cannot be listed', async () => {
    server.on(DELTA, lastPage(occurrence('o1', 'm1', '2026-11-24'), occurrence('o3', 'm1', '2026-12-08')));
    server.on(INSTANCES, { status: 404, body: {} });
    server.on('GET /v1.0/me/events/m1', { body: master('m1') });
    expect(apply([await increment()], held)).toEqual(['e9', 'o1', 'o3']);
  });

  test('[I-2] is voided again in the next round of the same port', async () => {
    const whole = lastPage(master('m1'), occurrence('o1', 'm1', '2026-11-24'));
    server.on(DELTA, whole, whole);
    expect(apply([await increment()], held)).toEqual(['e9', 'o1']);
    expect(apply([await increment()], held)).toEqual(['e9', 'o1']);
  });

  test('[I-2] keeps what is held when Graph will not even say whether it is there', async () => {
    server.on(DELTA, lastPage(graphItem('o2', { type: 'exception', seriesMasterId: 'm1' })));
    server.on(INSTANCES, { status: 403, body: {} });
    server.on('GET /v1.0/me/events/m1', { status: 403, body: {} });
    expect(apply([await increment()], held)).toEqual(['e9', 'o1', 'o2', 'o3']);
  });

  test('[I-2] that was replaced already is not voided again for a part of it', async () => {
    server.on(
      DELTA,
      page('p2', master('m1'), occurrence('o1', 'm1', '2026-11-24')),
      lastPage(occurrence('o3', 'm1', '2026-12-08'), REMOVED('m1')),
    );
    server.on(INSTANCES, { status: 405, body: {} });
    server.on('GET /v1.0/me/events/m1', { body: master('m1') });
    expect(apply(await readRound(link('deltatoken=d0')), held)).toEqual(['e9', 'o1', 'o3']);
  });

  test('[I-5] fails the page when it cannot be read now', async () => {
    server.on(DELTA, lastPage(graphItem('o2', { type: 'exception', seriesMasterId: 'm1' })));
    server.on(INSTANCES, { status: 503, body: {} });
    await expect(increment()).rejects.toMatchObject({ kind: 'transient', reason: 'http_503' });
  });

  test('[I-2] keeps what is held when one of its occurrences cannot be understood', async () => {
    const broken = { ...occurrence('o2', 'm1', '2026-12-01'), end: null };
    server.on(DELTA, lastPage(master('m1'), occurrence('o1', 'm1', '2026-11-24'), broken));
    const read = await increment();
    expect(apply([read], held)).toEqual(['e9', 'o1', 'o2', 'o3']);
    expect(read.unreadable).toEqual([{ eventId: 'o2', seriesId: 'm1', reason: 'no_end' }]);
  });

  test('[I-2] taken up in the middle of its round is not voided for a part of it', async () => {
    server.on(DELTA, lastPage(graphItem('o2', { type: 'exception', seriesMasterId: 'm1' })));
    server.on(INSTANCES, { status: 404, body: {} });
    server.on('GET /v1.0/me/events/m1', { body: master('m1') });
    const read = await calendar.listChanges({ cursor: null, page: link('skiptoken=p2'), window: WINDOW }, signal);
    expect(summary(read.changes)).toEqual(['o2']);
  });
});

describe('a removal', () => {
  test('[I-2] drops the event, and the series it may have been the master of', async () => {
    server.on(DELTA, lastPage(REMOVED('m1'), REMOVED('e5')));
    const read = await increment();
    expect(summary(read.changes)).toEqual(['reset m1', 'reset e5', '-m1', '-e5']);
    expect(apply([read], { o1: 'm1', e5: null, e6: null })).toEqual(['e6']);
    expect(server.requests).toHaveLength(1);
  });

  test('[I-2] of a master whose occurrences the round shows is settled by reading: Graph still has it', async () => {
    server.on(DELTA, page('p2', master('m1'), occurrence('o1', 'm1', '2026-11-24')), lastPage(REMOVED('m1')));
    server.on('GET /v1.0/me/events/m1/instances', {
      body: { value: [graphItem('o1', { type: 'occurrence', seriesMasterId: 'm1' })] },
    });
    expect(apply(await readRound(link('deltatoken=d0')), { o1: 'm1', o2: 'm1' })).toEqual(['o1']);
  });

  test('[I-2] of a master whose occurrences the round shows is settled by reading: Graph has it no more', async () => {
    const gone = { status: 404, body: { error: { code: 'ErrorItemNotFound' } } };
    server.on(DELTA, lastPage(occurrence('o1', 'm1', '2026-11-24'), REMOVED('m1')));
    server.on('GET /v1.0/me/events/m1/instances', gone);
    server.on('GET /v1.0/me/events/m1', gone);
    expect(apply([await increment()], { o1: 'm1', o2: 'm1' })).toEqual([]);
  });
});

describe('all-day events', () => {
  const SETTINGS = 'GET /v1.0/me/mailboxSettings';
  const day = (changes = {}) =>
    graphItem('d1', { isAllDay: true, ...times('2026-11-24T00:00:00', '2026-11-25T00:00:00'), ...changes });
  const span = (read: ChangePage) =>
    read.changes.map((change) => change.kind === 'event' && [change.startAt.toISOString(), change.endAt.toISOString()]);

  test('[I-3] lie in the mailbox zone, which is asked for once and only when a day needs it', async () => {
    server.on(DELTA, page('p2', graphItem('e1')), page('p3', day()), lastPage(day()));
    server.on(SETTINGS, { body: { timeZone: 'Pacific Standard Time' } });
    const pages = await readRound(null);
    expect(span(pages[1] as ChangePage)).toEqual([['2026-11-24T08:00:00.000Z', '2026-11-25T08:00:00.000Z']]);
    expect(server.asked(SETTINGS)).toHaveLength(1);
    expect(server.requests[1]?.path).not.toContain('mailboxSettings');
  });

  test('[I-3] lie in the zone they were made in when the mailbox may not be asked', async () => {
    server.on(DELTA, lastPage(day({ originalStartTimeZone: 'Tokyo Standard Time' })));
    server.on(SETTINGS, { status: 403, body: { error: { code: 'ErrorAccessDenied' } } });
    expect(span(await first())).toEqual([['2026-11-23T15:00:00.000Z', '2026-11-24T15:00:00.000Z']]);
  });

  test('[I-3] are read as wide as anywhere on earth without any zone', async () => {
    server.on(DELTA, lastPage(day({ originalStartTimeZone: 'tzone://Microsoft/Custom' })));
    server.on(SETTINGS, { status: 403, body: {} });
    expect(span(await first())).toEqual([['2026-11-23T10:00:00.000Z', '2026-11-25T12:00:00.000Z']]);
  });

  test('[I-3] of a series are days too when only the master says so', async () => {
    const days = { ...occurrence('o1', 'm1', '2026-11-24'), ...times('2026-11-24T00:00:00', '2026-11-25T00:00:00') };
    server.on(DELTA, lastPage(days, master('m1', { isAllDay: true })));
    server.on(SETTINGS, { body: { timeZone: 'Europe/Berlin' } });
    expect(span(await first())).toContainEqual(['2026-11-23T23:00:00.000Z', '2026-11-24T23:00:00.000Z']);
  });

  test('[I-5] fail the page when the mailbox cannot be asked now', async () => {
    server.on(DELTA, lastPage(day()));
    server.on(SETTINGS, { status: 503, body: {} });
    await expect(first()).rejects.toMatchObject({ kind: 'transient', operation: 'describe_calendar' });
  });
});
