/** A look at a calendar of which a few events have changed, against fetching and parsing the same changes. */
import { type Cast, type ConnectedCalendar, openCast } from './cast.ts';
import { type Bench, median, round } from './figures.ts';
import { createSyncer, type Syncer } from './sync-in-process.ts';

const EVENTS = 2_000;
const ROUNDS = 9;
/** One is what a notification stands for; many are what was missed while something was down. */
const SIZES = [
  { changes: 1, latencyMs: 50, atMost: 1.5 },
  { changes: 1_000, latencyMs: 0, atMost: 5 },
] as const;

export const incrementsBench: Bench = {
  name: 'increments',
  about: `an incremental sync of a calendar of ${EVENTS} events, 1 or 1,000 of them new, against fetching and parsing the same page`,
  async run(stage) {
    const cast = await openCast(stage);
    try {
      const calendar = await cast.connect();
      const sync = createSyncer(cast);
      const feed = await openFeed(cast, calendar);
      await fill(cast, calendar, EVENTS);
      await Promise.all([feed.next(), sync(calendar.connectionId)]);
      const figures = [];
      const ratios = [];
      for (const { changes, latencyMs, atMost } of SIZES) {
        await cast.sandbox.order('PUT', '/settings', { google: { latency_ms: latencyMs } });
        const times = await compare({ cast, calendar, sync, feed }, changes);
        const [plain, synced] = [median(times.plain), median(times.sync)];
        const what = `${changes === 1 ? 'one change' : `${changes} changes`}, answered after ${latencyMs} ms`;
        stage.say(`${what}: plain ${round(plain, 1)} ms, sync ${round(synced, 1)} ms`);
        figures.push(
          { name: `fetching and parsing ${what}`, value: round(plain, 1), unit: 'ms' },
          { name: `incremental sync of ${what}`, value: round(synced, 1), unit: 'ms' },
        );
        ratios.push({ name: `sync / fetching, ${what}`, value: round(synced / plain), target: { atMost } });
      }
      return { figures, ratios };
    } finally {
      await cast.close();
    }
  },
};

interface Sides {
  readonly cast: Cast;
  readonly calendar: ConnectedCalendar;
  readonly sync: Syncer;
  readonly feed: Feed;
}

async function compare({ cast, calendar, sync, feed }: Sides, changes: number) {
  const times = { plain: [] as number[], sync: [] as number[] };
  for (let at = 0; at <= ROUNDS; at += 1) {
    await fill(cast, calendar, changes);
    await cast.database.sql`
      UPDATE external_calendar_connections SET requested = requested + 1 WHERE id = ${calendar.connectionId}`;
    const plain = await timed(() => feed.next());
    const synced = await timed(() => sync(calendar.connectionId));
    const { mode, putCount } = synced.value;
    if (mode !== 'incremental' || putCount !== changes || plain.value !== changes) {
      throw new Error(`of ${changes} changes ${plain.value} were fetched, ${putCount} stored (${mode})`);
    }
    // The first round warms both up.
    if (at === 0) continue;
    times.plain.push(plain.ms);
    times.sync.push(synced.ms);
  }
  return times;
}

interface Feed {
  /** The changes since the last time. */
  next(): Promise<number>;
}

/** The same requests as the adapter's, and nothing but parsing. */
async function openFeed({ sandbox, environment }: Cast, { email }: ConnectedCalendar): Promise<Feed> {
  const { access_token: token } = await sandbox.order<{ access_token: string }>('POST', '/grants', {
    calendar_provider: 'google',
    email,
    client_id: environment.GOOGLE_CLIENT_ID,
  });
  const fields =
    'nextPageToken,nextSyncToken,timeZone,items(id,status,etag,iCalUID,recurringEventId,recurrence,start,end,' +
    'transparency,eventType,attendees(self,responseStatus),extendedProperties/private)';
  let syncToken: string | null = null;
  const next = async () => {
    const since = syncToken === null ? {} : { syncToken };
    const query = new URLSearchParams({
      singleEvents: 'true',
      maxResults: '2500',
      maxAttendees: '1',
      fields,
      ...since,
    });
    const response = await fetch(`${sandbox.url}/calendar/v3/calendars/primary/events?${query}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const page = (await response.json()) as { items: unknown[]; nextSyncToken?: string };
    if (page.nextSyncToken === undefined) throw new Error(`the page was answered ${response.status}`);
    syncToken = page.nextSyncToken;
    return page.items.length;
  };
  await next();
  return { next };
}

async function fill(cast: Cast, { email }: ConnectedCalendar, count: number): Promise<void> {
  await cast.sandbox.order('POST', `/calendars/google/${encodeURIComponent(email)}/events/fill`, {
    count,
    from: new Date(Date.now() + 3_600_000).toISOString(),
    spacing_minutes: 30,
    duration_minutes: 30,
  });
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const startedAt = performance.now();
  const value = await work();
  return { value, ms: performance.now() - startedAt };
}
