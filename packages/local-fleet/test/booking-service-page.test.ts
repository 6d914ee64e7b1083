/** Runs the examples of `docs/booking-service.md`, as they stand on the page, against a whole fleet. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ROOT, waitUntil } from '../src/index.ts';
import {
  bookingAt,
  type ConnectedProvider,
  type RunningFleet,
  slotAt,
  startTestFleet,
  untilShown as untilShownAt,
} from './fleet-harness.ts';

const PAGE = readFileSync(join(ROOT, 'docs', 'booking-service.md'), 'utf8');
/** Whose bookings the page's examples are. */
const PROVIDER_ON_PAGE = '33333333-3333-4333-8333-333333333333';
/** The day of its examples, which is a day of next week when they are run: a booking long past is soon forgotten. */
const DAY_ON_PAGE = '2026-11-24';
const DAY = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);

interface Example {
  readonly language: string;
  /** The heading above it. */
  readonly under: string;
  readonly code: string;
}

function readExamples(page: string): Example[] {
  return page.split(/^(?=#{2,3} )/m).flatMap((section) =>
    [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
      language,
      under: section.split('\n')[0]?.replace(/^#+ /, '') ?? '',
      code,
    })),
  );
}

const EXAMPLES = readExamples(PAGE);
const [byPublisher, byPlainClient, byPostgresJs, byPg, byHttp, republish, consume] = EXAMPLES;
// Left out where no Redis can be had; CI fails there instead (`scripts/test.ts`).
const suite = process.env.CALSYNC_TEST_REDIS === undefined ? describe.skip : describe;

suite('[S-5] the page for the booking service', () => {
  let redis: RedisServer | null;
  let fleet: RunningFleet;
  let dana: ConnectedProvider;

  beforeAll(async () => {
    redis = await startRedis();
    fleet = await startTestFleet({ REDIS_URL: redis?.url ?? '' });
    dana = await fleet.connect('google');
  }, 180_000);
  afterAll(async () => {
    await fleet?.close();
    await redis?.stop();
  }, 180_000);

  function start(example: Example | undefined): { child: ChildProcess; ended: Promise<string> } {
    if (example === undefined) throw new Error('the page has fewer examples than this test');
    const code = example.code.replaceAll(PROVIDER_ON_PAGE, dana.providerId).replaceAll(DAY_ON_PAGE, DAY);
    const [command, ...args] =
      example.language === 'sh'
        ? ['sh', '-ec', code]
        : [process.execPath, '--conditions=@bookiji/source', '--input-type=module-typescript', '--eval', code];
    const { REDIS_URL, QUEUE_PREFIX, DATABASE_URL, API_TOKENS = '' } = fleet.environment;
    const child = spawn(command as string, args, {
      // Where the packages that an example imports can be found.
      cwd: join(ROOT, 'packages', 'local-fleet'),
      env: {
        PATH: process.env.PATH,
        REDIS_URL,
        QUEUE_PREFIX,
        DATABASE_URL,
        INGRESS_URL: fleet.urls.ingress,
        API_TOKEN: API_TOKENS.split(',')[0],
      },
    });
    let said = '';
    let complained = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      complained += chunk.toString();
    });
    const ended = new Promise<string>((resolve, reject) => {
      child.once('close', (exit) =>
        exit === 0 ? resolve(said) : reject(new Error(`"${example.under}" ended with ${exit}: ${complained}`)),
      );
    });
    return { child, ended };
  }
  const run = (example: Example | undefined) => start(example).ended;

  const listDay = () =>
    fleet.sandbox.listEvents(dana.calendar, new Date(`${DAY}T00:00:00Z`), new Date(`${DAY}T23:59:59Z`));
  const shown = async () => {
    const events = await listDay();
    return events.map(({ title, start: at }) => `${new Date(at).toISOString().slice(11, 16)} ${title}`).sort();
  };
  const untilShown = (wanted: readonly string[]) =>
    waitUntil(
      `the calendar to show ${wanted.join(', ')}`,
      async () => JSON.stringify(await shown()) === JSON.stringify(wanted),
      90_000,
    );

  test('has an example for every way in and for the way back', () => {
    expect(EXAMPLES.map(({ under, language }) => `${under}: ${language}`)).toEqual([
      'The queue: ts',
      'The queue: ts',
      'The outbox: ts',
      'The outbox: ts',
      'HTTP: sh',
      'Publishing everything again: ts',
      'What comes back: ts',
    ]);
  });

  test('[O-1] its five ways in bring bookings into the calendar', async () => {
    await run(byPublisher);
    await run(byPlainClient);
    await run(byPostgresJs);
    await untilShown(['09:00 Haircut', '11:00 Colour', '13:00 Lesson']);
    await run(byPg);
    expect(JSON.parse(await run(byHttp))).toEqual({ accepted: true });
    await untilShown(['09:00 Haircut', '11:00 Colour', '14:00 Lesson, later', '16:00 Massage']);
  }, 180_000);

  test('[O-3] publishing all of it again writes nothing', async () => {
    const writes = async () => (await fleet.sandbox.order<{ entries: unknown[] }>('GET', '/history')).entries.length;
    const before = await writes();
    for (const example of [byPublisher, byPlainClient, byPostgresJs, byPg]) await run(example);
    expect(JSON.parse(await run(byHttp))).toEqual({ accepted: false, reason: 'superseded' });
    expect(await run(republish)).toBe('2 bookings published again\n');
    const waiting = () => fleet.database.sql`SELECT FROM booking_outbox WHERE relayed_at IS NULL`;
    await waitUntil('the outbox to be empty', async () => (await waiting()).length === 0);
    // One that is news goes the same way, behind all of those.
    const news = randomUUID();
    await fleet.desk.publish(bookingAt(dana, news, 1, 'booking.created', slotAt(4)));
    await untilShownAt(fleet, dana.calendar, news, slotAt(4));
    expect(await writes()).toBe(before + 1);
  }, 180_000);

  test('[O-1] what an owner does to an event comes back', async () => {
    const listening = start(consume);
    const events = await listDay();
    const massage = events.find(({ title }) => title === 'Massage');
    await fleet.sandbox.changeEvent(dana.calendar, massage?.id ?? '', { start: `${DAY}T18:00:00Z` });
    expect(await listening.ended).toBe(
      `moved b0000000-0000-4000-8000-000000000004 (version 1) to ${DAY}T18:00:00.000Z\n`,
    );
  }, 180_000);
});
