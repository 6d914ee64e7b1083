/** Recorded answers, replayed through the real client: every expected busy interval, nothing more and nothing less. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { EventChange } from '../../src/contract/index.ts';
import { signal, WINDOW } from '../adapter-arguments.ts';
import { type LocalServer, startLocalServer } from '../local-server.ts';
import { describeRecorded, type ManifestEntry, readFixture, readManifest } from './fixtures.ts';
import { openTestCalendar } from './session.ts';

const DELTA = 'GET /v1.0/me/calendarView/delta';
const pages = readManifest().filter(({ kind }) => kind === 'calendarView.delta' || kind === 'events.list.ms');

/** As recorded, but leading to the test's server; a plain list ends like the last page of a round. */
function replayed(file: string, baseUrl: string): Record<string, unknown> {
  const text = JSON.stringify(readFixture(file)).replaceAll(
    'https://graph.microsoft.com/v1.0/me',
    `${baseUrl}/v1.0/me`,
  );
  const page = JSON.parse(text) as Record<string, unknown>;
  const isLast = page['@odata.nextLink'] === undefined && page['@odata.deltaLink'] === undefined;
  return isLast ? { ...page, '@odata.deltaLink': `${baseUrl}/v1.0/me/calendarView/delta?$deltatoken=end` } : page;
}

/** What is certain, and what would block if it does: an event that does not say is busy. */
function expectedBusy(entry: ManifestEntry): [string, string, string][] {
  const doubtful = (entry.uncertain ?? []).map(({ id, wouldBe }) => ({ id, ...wouldBe }));
  return sorted([...(entry.expectedBusy ?? []), ...doubtful].map(({ id, startUtc, endUtc }) => [id, startUtc, endUtc]));
}

const sorted = (rows: [string, string, string][]) => rows.sort(([a], [b]) => (a < b ? -1 : 1));
const instant = (date: Date) => date.toISOString().replace('.000Z', 'Z');

describeRecorded('recorded pages', () => {
  let server: LocalServer;
  beforeEach(async () => {
    server = await startLocalServer();
  });
  afterEach(() => server.close());

  test('[I-3] are there', () => {
    expect(pages).not.toHaveLength(0);
  });

  test.each(pages.map((entry) => [entry.file, entry] as const))(
    '[I-3] %s holds exactly its busy intervals',
    async (file, entry) => {
      server.on(DELTA, { headers: entry.headers ?? {}, body: replayed(file, server.baseUrl) });
      const calendar = openTestCalendar(server.baseUrl);
      const { changes, unreadable, cursor, nextPage } = await calendar.listChanges(
        { cursor: null, page: null, window: WINDOW },
        signal,
      );

      const busy = changes.filter((change): change is EventChange => change.kind === 'event' && change.blocks);
      expect(sorted(busy.map(({ eventId, startAt, endAt }) => [eventId, instant(startAt), instant(endAt)]))).toEqual(
        expectedBusy(entry),
      );
      expect(unreadable).toEqual([]);
      expect((cursor === null) !== (nextPage === null)).toBe(true);
      const removed = changes.flatMap((change) => (change.kind === 'tombstone' ? [change.eventId] : []));
      expect(removed).toEqual((entry.notBusy ?? []).map(({ id }) => id));
      const blockingIds = new Set(busy.map(({ eventId }) => eventId));
      for (const masterId of entry.masters ?? []) expect(blockingIds.has(masterId)).toBe(false);
    },
  );

  test('[I-1] of one round are read from the first to the last by their own links', async () => {
    const round = [
      'delta-round1-page1.json',
      'delta-round1-page2.json',
      'delta-round1-page3.json',
      'delta-round2-removed.json',
    ];
    server.on(DELTA, ...round.map((file) => ({ body: replayed(file, server.baseUrl) })));
    const calendar = openTestCalendar(server.baseUrl);
    const first = await calendar.listChanges({ cursor: null, page: null, window: WINDOW }, signal);
    const second = await calendar.listChanges({ cursor: null, page: first.nextPage, window: WINDOW }, signal);
    const third = await calendar.listChanges({ cursor: null, page: second.nextPage, window: WINDOW }, signal);
    const increment = await calendar.listChanges({ cursor: third.cursor, page: null, window: WINDOW }, signal);

    expect([first, second, third].map((page) => page.changes.length)).toEqual([2, 2, 1]);
    expect(increment.changes.map((change) => change.kind)).toEqual(['series_reset', 'tombstone', 'event']);
    expect(server.requests.map((asked) => asked.query.get('$skiptoken') ?? asked.query.get('$deltatoken'))).toEqual([
      null,
      'R0usmcCM996atia_s',
      'R0usmci39OQxqJrxK4',
      'R0usmcMDNGg0J1E',
    ]);
  });
});
