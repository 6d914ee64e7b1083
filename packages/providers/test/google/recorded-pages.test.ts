/** Recorded answers, replayed through the real client: every expected busy interval, nothing more and nothing less. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ChangePage, EventChange } from '../../src/contract/index.ts';
import { signal } from '../adapter-arguments.ts';
import { type LocalServer, startLocalServer } from '../local-server.ts';
import { describeRecorded, type ManifestEntry, readFixture, readManifest } from './fixtures.ts';
import { EVENTS, openTestCalendar } from './session.ts';

/** Wide enough for recordings of many years: what is proven is the reading, not the clipping. */
const ALWAYS = { startAt: new Date('2000-01-01T00:00:00Z'), endAt: new Date('2100-01-01T00:00:00Z') };
const entries = readManifest();
const pages = entries.filter(({ kind }) => kind === 'events.list' || kind === 'events.instances');

type Row = [id: string, start: string, end: string];
const sorted = (rows: Row[]) => rows.sort((a, b) => (a.join() < b.join() ? -1 : 1));
const instant = (date: Date) => date.toISOString().replace('.000Z', 'Z');

function busyRows({ changes }: ChangePage): Row[] {
  const busy = changes.filter((change): change is EventChange => change.kind === 'event' && change.blocks);
  return sorted(busy.map(({ eventId, startAt, endAt }) => [eventId, instant(startAt), instant(endAt)]));
}

/** What is certain, and what would block if it does: an event that does not say is busy. */
function expectedRows({ expectedBusy = [], uncertain = [] }: ManifestEntry): Row[] {
  const doubtful = uncertain.map(({ id, wouldBe }) => ({ id, ...wouldBe }));
  return sorted([...expectedBusy, ...doubtful].map(({ id, startUtc, endUtc }) => [id, startUtc, endUtc]));
}

describeRecorded('recorded pages', () => {
  let server: LocalServer;
  beforeEach(async () => {
    server = await startLocalServer();
  });
  afterEach(() => server.close());

  async function replay(body: unknown): Promise<ChangePage> {
    server.on(`GET ${EVENTS}`, { body });
    return openTestCalendar(server.baseUrl).listChanges({ cursor: null, page: null, window: ALWAYS }, signal);
  }

  test('[I-3] are there', () => {
    expect(pages).not.toHaveLength(0);
  });

  test.each(pages.map((entry) => [entry.file, entry] as const))(
    '[I-3] %s holds exactly its busy intervals',
    async (file, entry) => {
      const page = await replay(readFixture(file));
      expect(busyRows(page)).toEqual(expectedRows(entry));
      expect(page.unreadable).toEqual([]);
      const tombstones = page.changes.flatMap((change) => (change.kind === 'tombstone' ? [change.eventId] : []));
      expect(tombstones).toEqual(entry.masters ?? []);
      expect((page.cursor === null) !== (page.nextPage === null)).toBe(true);
    },
  );

  test('[I-1] a cancelled occurrence without times is a tombstone of its series', async () => {
    const item = readFixture('event-cancelled-exception.json') as { id: string; recurringEventId: string };
    const { changes, unreadable } = await replay({ items: [item], nextSyncToken: 's', timeZone: 'Asia/Tokyo' });
    expect(changes).toEqual([{ kind: 'tombstone', eventId: item.id, seriesId: item.recurringEventId }]);
    expect(unreadable).toEqual([]);
  });

  test('[I-3] a recorded whole day lies in the zone of the calendar that it is listed in', async () => {
    const item = readFixture('event-insert-all-day.json');
    const page = await replay({ items: [item], nextSyncToken: 's', timeZone: 'America/Sao_Paulo' });
    expect(busyRows(page)).toEqual([['fiohtofhovslvl0nvvr1vpltvs', '2026-03-15T03:00:00Z', '2026-03-16T03:00:00Z']]);
  });
});
