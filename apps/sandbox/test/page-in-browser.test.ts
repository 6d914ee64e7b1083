/** The page with a real pointer. Left out where there is no Chromium. */
import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Harness, startSandbox } from './harness.ts';

const CHROMIUM = '/usr/bin/chromium';
// Left out where no Chromium is installed; CI brings it, or fails (`scripts/test.ts`).
const inBrowser = existsSync(CHROMIUM) ? describe : describe.skip;
const EVENTS = '/calendars/microsoft/bob@example.com/events';
const HOUR_PX = 46;

interface Shown {
  readonly title: string;
  readonly start: string;
  readonly end: string;
  readonly status: string;
}

inBrowser('the page in a browser', () => {
  let harness: Harness;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    harness = await startSandbox();
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser.close();
    await harness.close();
  });
  afterEach(() => page.context().close());
  beforeEach(async () => {
    await harness.admin('POST', '/reset');
    await harness.admin('PUT', '/users', { calendar_provider: 'microsoft', email: 'bob@example.com' });
    const context = await browser.newContext({ viewport: { width: 1280, height: 1400 }, timezoneId: 'UTC' });
    page = await context.newPage();
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(harness.url);
    await page.waitForSelector('.live[data-state=on]');
  });

  const tuesday = (hour: number) => {
    const now = new Date();
    const back = (now.getUTCDay() + 6) % 7;
    return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() - back + 1, hour)).toISOString();
  };
  const dayLater = (time: string) => new Date(Date.parse(time) + 86_400_000).toISOString();
  const add = (title: string, from: number, to: number) =>
    harness.admin('POST', EVENTS, { title, start: tuesday(from), end: tuesday(to) });
  const stored = async () => (await harness.admin<{ events: Shown[] }>('GET', EVENTS)).events;
  const box = (title: string) => page.locator('.day .event', { hasText: title });

  /** Takes hold of a point of the event and pulls it, again where the page drew itself anew under the pointer. */
  async function pull(title: string, fromBottom: boolean, by: { days: number; hours: number }): Promise<void> {
    for (let tries = 1; tries <= 5; tries += 1) {
      const saved = page
        .waitForRequest((request) => request.method() === 'PATCH', { timeout: 10_000 })
        .then((request) => request.response())
        .catch(() => null);
      await pullOnce(title, fromBottom, by);
      const answer = await saved;
      if (answer !== null) return expect(answer.status()).toBe(200);
    }
    throw new Error(`${title} was pulled in vain`);
  }

  async function pullOnce(title: string, fromBottom: boolean, by: { days: number; hours: number }): Promise<void> {
    // The page draws itself anew whenever something changes; what was drawn before may be gone in the middle.
    for (let tries = 1; ; tries += 1) {
      const isThere = await box(title)
        .scrollIntoViewIfNeeded()
        .then(
          () => true,
          () => false,
        );
      if (isThere || tries === 5) break;
    }
    const { x, y, width, height } = (await box(title).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const [fromX, fromY] = [x + width / 2, fromBottom ? y + height - 3 : y + 8];
    const column = (await page.locator('.day').first().boundingBox())?.width ?? 0;
    await page.mouse.move(fromX, fromY);
    await page.mouse.down();
    await page.mouse.move(fromX + by.days * column, fromY + by.hours * HOUR_PX, { steps: 5 });
    await page.mouse.up();
  }

  test('what an application writes appears without being asked for', async () => {
    await add('Arrives', 9, 10);
    await box('Arrives').waitFor();
    expect(await box('Arrives').textContent()).toContain('09:00 – 10:00');
  });

  test('an event is moved by pulling it, and made longer by pulling its end', async () => {
    await add('Movable', 9, 10);
    await box('Movable').waitFor();
    await pull('Movable', false, { days: 1, hours: 2 });
    expect(await stored()).toMatchObject([{ start: dayLater(tuesday(11)), end: dayLater(tuesday(12)) }]);
    await pull('Movable', true, { days: 0, hours: 1 });
    expect(await stored()).toMatchObject([{ start: dayLater(tuesday(11)), end: dayLater(tuesday(13)) }]);
  });

  test('an event is added at a free hour, changed and deleted', async () => {
    await page
      .locator('.day')
      .nth(1)
      .click({ position: { x: 40, y: 15 * HOUR_PX + 4 } });
    await page.fill('[name=title]', 'By hand');
    await page.click('#event-form .main');
    await box('By hand').click();
    await page.fill('[name=title]', 'Renamed');
    await page.click('#event-form .main');
    await box('Renamed').waitFor();
    expect(await stored()).toMatchObject([{ title: 'Renamed', start: tuesday(15), end: tuesday(16) }]);
    await box('Renamed').click();
    await page.click('#delete');
    await box('Renamed').waitFor({ state: 'detached' });
    expect(await stored()).toMatchObject([{ status: 'cancelled' }]);
    expect(problems).toEqual([]);
  });
});
