/**
 * An operator's day in a real browser, against a whole fleet: logging in, pausing a queue and letting it go on, finding
 * out why a connection is backing off and curing it. Left out where there is no Chromium.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import {
  bookedEvents,
  bookingAt,
  type ConnectedProvider,
  type RunningFleet,
  slotAt,
  startTestFleet,
  untilShown,
} from '../../../packages/local-fleet/test/fleet-harness.ts';

const CHROMIUM = '/usr/bin/chromium';
// Left out where no Chromium is installed; CI brings it, or fails (`scripts/test.ts`).
const inBrowser = existsSync(CHROMIUM) ? describe : describe.skip;
const QUEUE = 'calendar-booking-events';
/** Bull Board asks for fonts from elsewhere, and the content policy says no. */
const FONTS = /fonts\.googleapis\.com/;

inBrowser('[S-5] the console in a browser', () => {
  let fleet: RunningFleet;
  let provider: ConnectedProvider;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    [fleet, browser] = await Promise.all([
      startTestFleet({ BACKOFF_BASE_SECONDS: '300', BACKOFF_MAX_SECONDS: '600' }),
      chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] }),
    ]);
    provider = await fleet.connect('google');
    context = await openContext();
    page = await context.newPage();
    page.setDefaultTimeout(60_000);
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on(
      'console',
      (message) => message.type() === 'error' && !FONTS.test(message.text()) && problems.push(message.text()),
    );
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await fleet?.close();
  }, 180_000);

  const openContext = (options: BrowserContextOptions = {}) =>
    browser.newContext({ viewport: { width: 1280, height: 1000 }, ...options });
  const logIn = async (on: Page, password = fleet.opsToken) => {
    await on.goto(fleet.urls.ops);
    await on.getByLabel('Ops token').fill(password);
    await on.getByLabel('Your name').fill('Robin');
    await on.getByRole('button', { name: 'Log in' }).click();
  };
  /** Opens the menu of the queue that is shown, and chooses. */
  const choose = async (item: 'Pause' | 'Resume') => {
    // The menus' buttons have no name; the first is the page's, the second the queue's.
    await page.locator('button[aria-haspopup=menu]').nth(1).click();
    await page.getByRole('menuitem', { name: item }).click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await paused().waitFor({ state: item === 'Pause' ? 'visible' : 'detached' });
  };
  const paused = () => page.getByText('[ Paused ]').first();

  test('a wrong password is refused, and nothing is shown before the right one', async () => {
    await logIn(page, 'a-wrong-token-of-good-length');
    await page.getByRole('alert').getByText('not known here').waitFor();
    await page.goto(`${fleet.urls.ops}/connections`);
    expect(page.url()).toBe(`${fleet.urls.ops}/login?to=%2Fconnections`);
    // The browser tells of the 401 in its console too.
    problems.length = 0;
    await page.getByLabel('Ops token').fill(fleet.opsToken);
    await page.getByLabel('Your name').fill('Robin');
    await page.getByRole('button', { name: 'Log in' }).click();
    // What was asked for before, then the first page.
    await page.getByRole('heading', { name: 'Connections', exact: true }).waitFor();
    await page.goto(fleet.urls.ops);
    await page.getByRole('heading', { name: 'The fleet' }).waitFor();
    await page.getByText('Nothing needs your attention').waitFor();
    for (const role of ['ingress', 'inbound-worker', 'outbound-worker', 'retry-worker', 'ops']) {
      await page.locator('#processes').getByText(role, { exact: true }).waitFor();
    }
  });

  test('a page of another origin cannot change anything with the operator’s own session', async () => {
    const foreign = await context.newPage();
    await foreign.goto(fleet.urls.sandbox);
    const [answer] = await Promise.all([
      foreign.waitForResponse((response) => response.url() === `${fleet.urls.ops}/switches`),
      foreign
        .setContent(
          `<form method="post" action="${fleet.urls.ops}/switches"><input name="name" value="shadow">
          <input name="to" value="on"><input name="reason" value="x"><button>Win a prize</button></form>`,
        )
        .then(() => foreign.getByRole('button').click()),
    ]);
    // Another port is the same site: the cookie did go along, so it was the origin that gave the page away.
    expect((await answer.request().allHeaders()).cookie).toContain('calsync_ops=');
    expect(answer.status()).toBe(403);
    await foreign.close();
    await page.goto(`${fleet.urls.ops}/switches`);
    await page
      .getByRole('row', { name: /^shadow/ })
      .getByText(/off$/)
      .waitFor();
  });

  test('a queue paused in Bull Board parks a booking, and resumed it is written exactly once', async () => {
    const bookingId = randomUUID();
    await page.goto(`${fleet.urls.ops}/queues/queue/${QUEUE}`, { waitUntil: 'domcontentloaded' });
    await choose('Pause');
    await fleet.desk.publish(bookingAt(provider, bookingId, 1, 'booking.created', slotAt(1)));
    await page.reload({ waitUntil: 'domcontentloaded' });
    await page.getByText('booking.created').first().waitFor();
    await page.getByText(bookingId).first().waitFor();
    await page.goto(fleet.urls.ops);
    await page.getByText(`${QUEUE} is paused in Bull Board`).waitFor();
    await page.getByRole('row', { name: /^booking-events paused 1/ }).waitFor();
    expect(await bookedEvents(fleet, provider.calendar, bookingId)).toEqual([]);

    await page.goto(`${fleet.urls.ops}/queues/queue/${QUEUE}`, { waitUntil: 'domcontentloaded' });
    await paused().waitFor();
    await choose('Resume');
    await untilShown(fleet, provider.calendar, bookingId, slotAt(1));
    await page.goto(fleet.urls.ops);
    await page.getByText('Nothing needs your attention').waitFor();
    await page.goto(`${fleet.urls.ops}/switches`);
    const operatorLog = page.locator('#operator-log');
    await operatorLog.getByRole('row', { name: /Robin \(ops-token-1\) queue pause calendar-booking-events/ }).waitFor();
    await operatorLog
      .getByRole('row', { name: /Robin \(ops-token-1\) queue resume calendar-booking-events/ })
      .waitFor();
  });

  test('a connection that backs off is found, understood, synced by hand and seen healthy', async () => {
    const fault = { provider: 'google', user: provider.calendar.email, operation: 'events.list', status: 503 };
    await fleet.sandbox.order('POST', '/faults', fault);
    await fleet.sandbox.addEvent(provider.calendar, { title: 'Dentist', ...slotAt(4) });
    await page.goto(fleet.urls.ops);
    const finding = page.getByRole('listitem').filter({ hasText: '1 connection is failing and trying again.' });
    await finding.getByRole('link', { name: 'View' }).click();
    await page.getByLabel('Id').fill(provider.connectionId.slice(0, 10));
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByText('1 found').waitFor();
    await page.locator('#found').getByText('backing off').waitFor();
    await page.locator('#found').getByRole('link').first().click();

    const state = page.locator('#state');
    await state.getByText('Backing off after one failed try').waitFor();
    await state.getByText('Google is having trouble: it answered with an error of its own (HTTP 503).').waitFor();
    await state.getByText('sync it now').waitFor();
    await page.locator('#runs').getByText('failed').waitFor();
    await page.locator('#week .piece-booking').waitFor();
    await page.locator('#week .piece-free').first().waitFor();
    expect(await page.locator('#week .piece-busy').count()).toBe(0);
    await state.getByRole('link', { name: 'Runbook' }).click();
    await page.getByRole('heading', { name: 'CalendarSyncFailures' }).waitFor();
    await page.goBack();

    await fleet.sandbox.order('DELETE', '/faults');
    await page.getByRole('button', { name: 'Sync now' }).click();
    await page.getByRole('status').getByText('Sync requested').waitFor();
    // Nobody reloads: the page follows.
    await state.getByText('healthy').waitFor();
    await page.locator('#week .piece-busy').waitFor();
    await page
      .locator('#operator-log')
      .getByRole('row', { name: /Robin \(ops-token-1\) sync requested/ })
      .waitFor();
  });

  test('everything but the picture of the week works without JavaScript', async () => {
    const plain = await openContext({ javaScriptEnabled: false });
    try {
      const bare = await plain.newPage();
      bare.setDefaultTimeout(60_000);
      await logIn(bare);
      await bare.getByRole('heading', { name: 'The fleet' }).waitFor();
      await bare.goto(`${fleet.urls.ops}/connections/${provider.connectionId}`);
      await bare.getByText('As a list').click();
      await bare.locator('#week-list').getByRole('row', { name: /busy/ }).first().waitFor();
      await bare.getByText('Pause…').click();
      await bare.getByLabel('Reason: pausing this connection').fill('owner asked');
      await bare.getByRole('button', { name: 'Pause', exact: true }).click();
      await bare.locator('#state').getByText('paused', { exact: false }).first().waitFor();
      await bare.getByLabel('Reason: resuming this connection').fill('done');
      await bare.getByRole('button', { name: 'Resume' }).click();
      await bare.locator('#state').getByText('healthy').waitFor();
    } finally {
      await plain.close();
    }
  });

  test('on a phone nothing an operator needs lies off the screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    try {
      const cut: unknown[] = [];
      for (const path of ['', 'connections', `connections/${provider.connectionId}`, 'switches', 'dead-letters']) {
        await page.goto(`${fleet.urls.ops}/${path}`);
        await page.getByRole('navigation', { name: 'Main' }).waitFor();
        cut.push(
          ...(await page.evaluate<
            string[]
          >(`[...document.querySelectorAll('nav a, main button, main table a, table .badge')]
            .filter((part) => part.checkVisibility() && part.closest('#week') === null)
            .filter((part) => part.getBoundingClientRect().right > innerWidth)
            .map((part) => location.pathname + ': ' + part.textContent)`)),
        );
      }
      expect(cut).toEqual([]);
    } finally {
      await page.setViewportSize({ width: 1280, height: 1000 });
    }
  });

  test('the week shows every hour: nine to five in Auckland is night in UTC', async () => {
    await page.goto(`${fleet.urls.ops}/connections/${provider.connectionId}`);
    await page.locator('#week').getByText('00:00', { exact: true }).waitFor();
    await page.locator('#week').getByText('23:00', { exact: true }).waitFor();
  });

  test('every page can be read and worked by everybody, by day and by night', async () => {
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const paths = ['', `connections/${provider.connectionId}`, 'connections', 'switches', 'dead-letters', 'runbooks'];
    const found: unknown[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const path of paths) {
        await page.goto(`${fleet.urls.ops}/${path}`);
        if (path.startsWith('connections/')) await page.locator('#week .piece-booking').waitFor();
        await page.evaluate(axe);
        found.push(...(await inspect(page, `${path} ${colorScheme}`)));
      }
    }
    expect(found).toEqual([]);
    await page.goto(fleet.urls.ops);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
  }, 180_000);

  test('nothing was refused by the content policy and no script failed', () => {
    expect(problems).toEqual([]);
  });
});

/** What axe, already on the page, finds wrong with it. */
async function inspect(page: Page, where: string): Promise<unknown[]> {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21aa'];
  const violations = await page.evaluate<
    { readonly id: string; readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[] }[]
  >(`axe.run({ runOnly: ${JSON.stringify(tags)} }).then(({ violations }) => violations)`);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => [where, id, html.slice(0, 200), failureSummary]),
  );
}
