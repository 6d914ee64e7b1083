/**
 * `npm run pictures`: the console's pictures in `docs/pictures`, of a fleet that is made up for it: a fresh database, the
 * sandbox, a dozen providers, one of them in trouble. Needs Chromium.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '@bookiji/db';
import { migrateUp } from '@bookiji/db/migrate';
import {
  LOCAL_PORT_VARIABLES,
  type LocalFleet,
  makeBookingEvent,
  openBookingDesk,
  ROOT,
  type SandboxCalendar,
  startLocalFleet,
  waitUntil,
} from '@bookiji/local-fleet';
import { makeReachableDir, startEmbeddedPostgres } from '@bookiji/runtime';
import { type Browser, chromium, type Page } from 'playwright-core';

const FOLDER = join(ROOT, 'docs', 'pictures');
const LARGEST_BYTES = 200_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const stateDir = makeReachableDir('calsync-pictures-');
const postgres = await startEmbeddedPostgres({ dataDir: join(stateDir, 'postgres'), database: 'bookiji' });
await migrateUp(postgres.url);
const fleet = await startLocalFleet({
  environment: {
    ...process.env,
    ...Object.fromEntries(LOCAL_PORT_VARIABLES.map((name) => [name, '0'])),
    DATABASE_URL: postgres.url,
    SWEEP_INTERVAL_MS: '500',
  },
  stateDir,
  onLine: () => undefined,
});
try {
  await fleet.ready(60_000);
  const shown = await fill(fleet);
  await spreadRuns(postgres.url);
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    await takePictures(browser, fleet, shown);
  } finally {
    await browser.close();
  }
} finally {
  await fleet.stop();
  await postgres.stop();
  rmSync(stateDir, { recursive: true, force: true });
}

interface Provider {
  readonly providerId: string;
  readonly connectionId: string;
  readonly calendar: SandboxCalendar;
}

/** Twelve providers with a busy week each; returns the connection to show. */
async function fill(on: LocalFleet): Promise<string> {
  const providers: Provider[] = [];
  for (let n = 0; n < 12; n += 1) providers.push(await connect(on, n % 3 === 1 ? 'microsoft' : 'google', n));
  const desk = openBookingDesk(on.environment);
  try {
    for (const [n, provider] of providers.entries()) {
      await fillWeek(on, desk, provider, n);
      await settle(on);
    }
    const [shown, revoked] = [providers[0], providers[4]];
    if (shown === undefined || revoked === undefined) throw new Error('there is nobody to show');
    await on.sandbox.order('POST', '/faults', {
      provider: shown.calendar.calendarProvider,
      user: shown.calendar.email,
      operation: 'events.list',
      status: 503,
    });
    await on.sandbox.order('POST', '/grants/revoke', { email: revoked.calendar.email });
    await on.sandbox.order('POST', '/tokens/expire', { email: revoked.calendar.email });
    await on.sandbox.addEvent(shown.calendar, eventAt(30, 1));
    await on.ingress.request('POST', '/api/calendar/sync', { provider_id: revoked.providerId });
    // Past the publisher, which would refuse it.
    await desk.queues
      .queue('calendar-booking-events')
      .add('booking.created', { ...makeBookingEvent(booking(shown, 3)), version: 0 });
    await desk.queues.queue('calendar-outbound-sync').pause();
    await desk.publish(...[1, 2, 3].map((day) => makeBookingEvent(booking(providers[1] ?? shown, day * 24 + 11))));
    await waitUntil('the troubled connections', async () => {
      const answers = await Promise.all([shown, revoked].map(({ providerId }) => on.ingress.connections(providerId)));
      const [failing, parked] = answers.map(([one]) => one);
      return failing?.error_count !== 0 && parked?.status === 'reauth_required';
    });
    return shown.connectionId;
  } finally {
    await desk.close();
  }
}

async function connect(on: LocalFleet, calendarProvider: 'google' | 'microsoft', n: number): Promise<Provider> {
  const providerId = randomUUID();
  const calendar = { calendarProvider, email: `provider-${n}@example.com` };
  await on.sandbox.putUser({ calendar_provider: calendarProvider, email: calendar.email, time_zone: 'UTC' });
  const connectionId = await on.ingress.connectCalendar(providerId, calendarProvider, calendar.email);
  return { providerId, connectionId, calendar };
}

/** Private hours and bookings, different for each provider. */
async function fillWeek(
  on: LocalFleet,
  desk: ReturnType<typeof openBookingDesk>,
  provider: Provider,
  n: number,
): Promise<void> {
  for (let day = 0; day < 7; day += 1) {
    const hour = day * 24 + 8 + ((day * 3 + n) % 4);
    if (day < 5) await on.sandbox.addEvent(provider.calendar, eventAt(hour, 1 + ((day + n) % 3) / 2));
    if ((day + n) % 2 === 0) await on.sandbox.addEvent(provider.calendar, eventAt(hour + 7, 1.5));
    if (day !== 6) await desk.publish(makeBookingEvent(booking(provider, hour + 3)));
    if (day % 3 === 0) await desk.publish(makeBookingEvent(booking(provider, hour + 5)));
  }
}

/** Hours count from the last midnight, UTC. */
function slotAt(hour: number, hours: number) {
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const start = today + hour * HOUR_MS;
  return { start: new Date(start).toISOString(), end: new Date(start + hours * HOUR_MS).toISOString() };
}

function eventAt(hour: number, hours: number) {
  return { title: 'private', ...slotAt(hour, hours) };
}

function booking({ providerId }: Provider, hour: number) {
  return { bookingId: randomUUID(), providerId, version: 1, type: 'booking.created', slot: slotAt(hour, 1) } as const;
}

async function settle(on: LocalFleet): Promise<void> {
  const headers = { authorization: `Bearer ${on.opsToken}` };
  await waitUntil(
    'all work to be done',
    async () => {
      const answer = await fetch(`${on.urls.ops}/api/ops/metrics/calendar`, { headers });
      const { metrics } = (await answer.json()) as { metrics: Record<string, number> };
      return metrics.calendar_intents_pending === 0;
    },
    60_000,
    100,
  );
}

/** The runs of this minute told as those of an hour, as they would be in a fleet that was not just started. */
async function spreadRuns(url: string): Promise<void> {
  const database = openDatabase(url, { applicationName: 'pictures', max: 1 });
  await database.sql`
    UPDATE sync_runs SET finished_at = finished_at - shift, started_at = started_at - shift
      FROM (SELECT id, (60 * power(random(), 1.3)) * interval '1 minute' AS shift FROM sync_runs WHERE error IS NULL) s
     WHERE s.id = sync_runs.id`;
  await database.close();
}

async function takePictures(browser: Browser, on: LocalFleet, connectionId: string): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, colorScheme: 'light' });
  // Bull Board asks for web fonts from elsewhere; nothing leaves this machine.
  await context.route(
    (url) => url.hostname !== '127.0.0.1',
    (route) => route.abort(),
  );
  const page = await context.newPage();
  await page.goto(on.urls.ops);
  await page.fill('[name=password]', on.opsToken);
  await page.fill('[name=name]', 'Robin');
  await page.click('button');
  await page.waitForSelector('#findings');
  await save(page, 'fleet');
  await page.goto(`${on.urls.ops}/connections/${connectionId}`);
  await page.waitForSelector('#week .piece-booking');
  await page.setViewportSize({ width: 1280, height: 1230 });
  await save(page, 'connection');
  await page.setViewportSize({ width: 1280, height: 860 });
  await page.goto(`${on.urls.ops}/queues/queue/calendar-outbound-sync`, { waitUntil: 'domcontentloaded' });
  await page.getByText('[ Paused ]').first().waitFor();
  await page.getByText('converge').first().waitFor();
  await save(page, 'queues');
  if (process.argv.includes('--all')) {
    for (const path of ['connections', 'dead-letters', 'switches', 'runbooks/calendar-breaker-open', 'login']) {
      await page.goto(`${on.urls.ops}/${path}`);
      await save(page, path.replace('/', '-'));
    }
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto(on.urls.ops);
    await save(page, 'fleet-dark');
    await page.goto(`${on.urls.ops}/connections/${connectionId}`);
    await page.waitForSelector('#week .piece-booking');
    await save(page, 'connection-dark');
    await page.setViewportSize({ width: 420, height: 860 });
    await page.goto(on.urls.ops);
    await save(page, 'fleet-narrow');
  }
}

async function save(page: Page, name: string): Promise<void> {
  const path = join(FOLDER, `${name}.png`);
  await page.screenshot({ path, fullPage: !['queues', 'connection'].includes(name) });
  const { size } = statSync(path);
  process.stdout.write(`docs/pictures/${name}.png ${(size / 1000).toFixed(0)} kB\n`);
  if (size > LARGEST_BYTES && !process.argv.includes('--all'))
    throw new Error(`${name}.png is larger than ${LARGEST_BYTES / 1000} kB`);
}
