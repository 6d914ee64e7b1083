import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Client } from '@microsoft/microsoft-graph-client';
import { type Harness, startSandbox } from './harness.ts';
import {
  DELTA,
  type GraphItem,
  grantMicrosoft,
  graphClient,
  graphRefusalOf,
  pathOf,
  readAll,
} from './microsoft-client.ts';

let harness: Harness;
let client: Client;
const email = 'bob@example.com';
const EVENTS = `/calendars/microsoft/${email}/events`;

beforeAll(async () => {
  harness = await startSandbox();
});
afterAll(() => harness.close());
beforeEach(async () => {
  await harness.admin('POST', '/reset');
  await harness.admin('PUT', '/settings', { microsoft: { empty_page_every: 0, repeat_items: false } });
  client = graphClient(harness, await grantMicrosoft(harness, email));
});

const add = (event: object) => harness.admin<{ id: string; mutable_id: string }>('POST', EVENTS, event);
const fill = (count: number) => harness.admin('POST', `${EVENTS}/fill`, { count, from: '2026-12-01T09:00:00Z' });
const weekly = (more: object = {}) =>
  add({
    title: 'weekly',
    start: '2026-11-23T09:00:00',
    end: '2026-11-23T10:00:00',
    time_zone: 'America/Toronto',
    recurrence: ['RRULE:FREQ=WEEKLY;COUNT=5'],
    ...more,
  });
const short = (items: readonly GraphItem[]) =>
  items.map(({ id, type, '@removed': removed }) => [removed === undefined ? type : 'removed', id.slice(-12)]);

describe('microsoft: a first round', () => {
  test('[I-1] microsoft: pages hold odata.maxpagesize items, ten by default, and only the last has a deltaLink', async () => {
    await fill(25);
    const small = await readAll(client, DELTA, 'odata.maxpagesize=8');
    const usual = await readAll(client, DELTA);
    expect(small.pages.map((page) => page.length)).toEqual([8, 8, 8, 1]);
    expect(usual.pages.map((page) => page.length)).toEqual([10, 10, 5]);
    expect(new Set(small.items.map(({ id }) => id)).size).toBe(25);
    expect(small.deltaPath).toContain('$deltatoken=');
  });

  test('microsoft: a page may be empty and go on, and an item may come twice', async () => {
    await fill(25);
    await harness.admin('PUT', '/settings', { microsoft: { empty_page_every: 2, repeat_items: true } });
    const { pages, items } = await readAll(client, DELTA);
    expect(pages.map((page) => page.length)).toEqual([10, 0, 11, 0, 6]);
    expect(new Set(items.map(({ id }) => id)).size).toBe(25);
  });

  test('microsoft: the window is asked for in the first call, and the options of lists are refused', async () => {
    const without = await graphRefusalOf(client.api('/me/calendarView/delta').get());
    const inverted = '/me/calendarView/delta?startDateTime=2027-01-01T00:00:00Z&endDateTime=2026-01-01T00:00:00Z';
    const tooLong = '/me/calendarView/delta?startDateTime=2020-01-01T00:00:00Z&endDateTime=2026-01-01T00:00:00Z';
    expect(without).toEqual({ status: 400, code: 'ErrorInvalidParameter' });
    for (const path of [inverted, tooLong]) expect((await graphRefusalOf(client.api(path).get())).status).toBe(400);
    for (const option of ['$select=id', '$top=5', "$filter=subject eq 'x'", '$orderby=subject', '$expand=x']) {
      const refused = await graphRefusalOf(client.api(`${DELTA}&${option}`).get());
      expect(refused).toEqual({ status: 400, code: 'ErrorInvalidUrlQuery' });
    }
  });

  test('microsoft: bounds without an offset are UTC, whatever zone times are wanted in', async () => {
    await add({ start: '2026-12-01T00:00:00Z', end: '2026-12-01T01:00:00Z' });
    const path = '/me/calendarView/delta?startDateTime=2026-12-01T00:30:00&endDateTime=2026-12-02T00:00:00';
    const { items } = await readAll(client, path, 'outlook.timezone="Tokyo Standard Time"');
    expect(items[0]?.start).toEqual({ dateTime: '2026-12-01T09:00:00.0000000', timeZone: 'Tokyo Standard Time' });
  });

  test('microsoft: another calendar of the account has a feed of its own', async () => {
    const calendars = [{ id: 'AAMk/other=', summary: 'Other' }];
    await harness.admin('PUT', '/users', { calendar_provider: 'microsoft', email, calendars });
    const path = `${EVENTS}?calendar_id=${encodeURIComponent('AAMk/other=')}`;
    await harness.admin('POST', path, { title: 'there', start: '2026-12-01T09:00:00Z', end: '2026-12-01T10:00:00Z' });
    const other = DELTA.replace('/me/', `/me/calendars/${encodeURIComponent('AAMk/other=')}/`);
    expect((await readAll(client, other)).items.map(({ subject }) => subject)).toEqual(['there']);
    expect((await readAll(client, DELTA)).items).toEqual([]);
  });
});

describe('microsoft: increments', () => {
  test('[I-1] microsoft: an increment holds what changed since, deletions as removed', async () => {
    await add({ title: 'kept', start: '2026-12-01T09:00:00Z', end: '2026-12-01T10:00:00Z' });
    const moved = await add({ start: '2026-12-02T09:00:00Z', end: '2026-12-02T10:00:00Z' });
    const gone = await add({ start: '2026-12-03T09:00:00Z', end: '2026-12-03T10:00:00Z' });
    const { deltaPath } = await readAll(client, DELTA);
    await harness.admin('PATCH', `${EVENTS}/${moved.id}`, { start: '2026-12-02T12:00:00Z' });
    await harness.admin('DELETE', `${EVENTS}/${gone.id}`);
    const round = await readAll(client, deltaPath);
    expect(round.items.map(({ id, '@removed': removed }) => [id, removed?.reason])).toEqual([
      [moved.id, undefined],
      [gone.id, 'deleted'],
    ]);
    expect((await readAll(client, round.deltaPath)).items).toEqual([]);
  });

  test('microsoft: what changes between pages comes in the next round', async () => {
    await fill(12);
    const first = (await client.api(DELTA).get()) as Record<string, string>;
    const late = await add({ title: 'late', start: '2026-12-05T09:00:00Z', end: '2026-12-05T10:00:00Z' });
    const rest = await readAll(client, pathOf(first['@odata.nextLink']));
    const next = await readAll(client, rest.deltaPath);
    expect(next.items.map(({ id }) => id)).toEqual([late.id]);
  });

  test('microsoft: what changes while an increment is read waits for the next one, and nothing comes twice', async () => {
    const ids: string[] = [];
    for (let day = 1; day <= 6; day += 1) {
      ids.push((await add({ start: `2026-12-0${day}T09:00:00Z`, end: `2026-12-0${day}T10:00:00Z` })).id);
    }
    const { deltaPath } = await readAll(client, DELTA);
    for (const id of ids) await harness.admin('PATCH', `${EVENTS}/${id}`, { title: 'once' });
    const first = await client.api(deltaPath).header('Prefer', 'IdType="ImmutableId", odata.maxpagesize=3').get();
    await harness.admin('PATCH', `${EVENTS}/${ids[5]}`, { title: 'twice' });
    const rest = await readAll(client, pathOf(first['@odata.nextLink']), 'odata.maxpagesize=3');
    const next = await readAll(client, rest.deltaPath);
    expect([...first.value, ...rest.items].map(({ id }: GraphItem) => id)).toEqual(ids.slice(0, 5));
    expect(next.items.map(({ subject }) => subject)).toEqual(['twice']);
  });

  test('microsoft: the feed may lag behind what was written', async () => {
    await harness.admin('PUT', '/settings', { microsoft: { feed_lag_ms: 60_000 } });
    const { deltaPath } = await readAll(client, DELTA);
    const { id } = await add({ start: '2026-12-01T09:00:00Z', end: '2026-12-01T10:00:00Z' });
    const early = await readAll(client, deltaPath);
    await harness.admin('PUT', '/clock', { advance_ms: 61_000 });
    const late = await readAll(client, early.deltaPath);
    expect([early.items.length, late.items.map((item) => item.id)]).toEqual([0, [id]]);
  });

  test('microsoft: an empty page is never the last, even when every page were to be empty', async () => {
    await fill(15);
    await harness.admin('PUT', '/settings', { microsoft: { empty_page_every: 1 } });
    const { pages } = await readAll(client, DELTA);
    expect(pages.map((page) => page.length)).toEqual([0, 10, 0, 5]);
  });

  test('microsoft: the window stays as it was, and what lies outside comes as removed even when it is new', async () => {
    const inside = await add({ start: '2026-12-01T09:00:00Z', end: '2026-12-01T10:00:00Z' });
    const { deltaPath } = await readAll(client, DELTA);
    const outside = await add({ start: '2027-06-01T09:00:00Z', end: '2027-06-01T10:00:00Z' });
    await harness.admin('PATCH', `${EVENTS}/${inside.id}`, {
      start: '2027-06-02T09:00:00Z',
      end: '2027-06-02T10:00:00Z',
    });
    const { items } = await readAll(client, deltaPath);
    expect(items.map(({ id, '@removed': removed }) => [id, removed?.reason])).toEqual([
      [outside.id, 'deleted'],
      [inside.id, 'deleted'],
    ]);
  });

  test('[I-1] microsoft: a token that has expired is answered with 410 syncStateNotFound, also in the middle', async () => {
    await fill(12);
    const { deltaPath } = await readAll(client, DELTA);
    const half = (await client.api(DELTA).get()) as Record<string, string>;
    await harness.admin('POST', '/cursors/expire', { calendar_provider: 'microsoft' });
    const gone = { status: 410, code: 'syncStateNotFound' };
    expect(await graphRefusalOf(client.api(deltaPath).get())).toEqual(gone);
    expect(await graphRefusalOf(client.api(pathOf(half['@odata.nextLink'])).get())).toEqual(gone);
    expect((await readAll(client, DELTA)).items).toHaveLength(12);
  });

  test('microsoft: tokens live as long as the settings say', async () => {
    await harness.admin('PUT', '/settings', { microsoft: { delta_token_seconds: 60, access_token_seconds: 7200 } });
    client = graphClient(harness, await grantMicrosoft(harness, email));
    const { deltaPath } = await readAll(client, DELTA);
    await harness.admin('PUT', '/clock', { advance_ms: 59_000 });
    expect((await readAll(client, deltaPath)).items).toEqual([]);
    await harness.admin('PUT', '/clock', { advance_ms: 2_000 });
    expect((await graphRefusalOf(client.api(deltaPath).get())).status).toBe(410);
  });

  test('microsoft: a token that is none of its own is a bad request', async () => {
    const path = '/me/calendarView/delta?$deltatoken=nonsense';
    expect((await graphRefusalOf(client.api(path).get())).status).toBe(400);
  });
});

describe('microsoft: series', () => {
  test('microsoft: a series comes whole on one page, its occurrences bare', async () => {
    const { id } = await weekly();
    const { pages, items } = await readAll(client, DELTA, 'odata.maxpagesize=2');
    expect(pages).toHaveLength(1);
    expect(items.map(({ type }) => type)).toEqual(['seriesMaster', ...new Array(5).fill('occurrence')]);
    const [master, first, second] = items;
    expect(master?.id).toBe(id);
    expect(master?.start).toEqual(first?.start);
    expect(Object.keys(second ?? {}).sort()).toEqual(
      ['@odata.etag', '@odata.type', 'end', 'id', 'seriesMasterId', 'start', 'type'].sort(),
    );
    expect(second?.seriesMasterId).toBe(id);
    expect(second?.start).toEqual({ dateTime: '2026-11-30T14:00:00.0000000', timeZone: 'UTC' });
  });

  test('microsoft: a changed occurrence is an exception with all its fields, and brings the whole series again', async () => {
    const { id } = await weekly();
    const { items, deltaPath } = await readAll(client, DELTA);
    await harness.admin('PATCH', `${EVENTS}/${items[2]?.id}`, { title: 'moved', start: '2026-12-01T15:00:00Z' });
    const round = await readAll(client, deltaPath);
    const kinds = round.items.map(({ type }) => type).sort();
    expect(kinds).toEqual(['exception', ...new Array(4).fill('occurrence'), 'seriesMaster']);
    const exception = round.items.find(({ type }) => type === 'exception');
    expect(exception).toMatchObject({ id: items[2]?.id, subject: 'moved', showAs: 'busy', seriesMasterId: id });
  });

  test('microsoft: a deleted occurrence leaves no tombstone, it is missing from the series', async () => {
    await weekly();
    const { items, deltaPath } = await readAll(client, DELTA);
    await harness.admin('DELETE', `${EVENTS}/${items[2]?.id}`);
    const round = await readAll(client, deltaPath);
    expect(short(round.items)).toEqual(short(items.filter((_, at) => at !== 2)));
  });

  test('microsoft: a deleted series is removed by its master alone', async () => {
    const { id } = await weekly();
    const { deltaPath } = await readAll(client, DELTA);
    await harness.admin('DELETE', `${EVENTS}/${id}`);
    const { items } = await readAll(client, deltaPath);
    expect(items.map((item) => [item.id, item['@removed']?.reason])).toEqual([[id, 'deleted']]);
  });

  test('microsoft: a series that leaves the window is removed, one that was never inside is not listed', async () => {
    const { id } = await weekly();
    await weekly({ start: '2025-01-06T09:00:00', end: '2025-01-06T10:00:00' });
    const { items, deltaPath } = await readAll(client, DELTA);
    expect(new Set(items.map((item) => item.seriesMasterId ?? item.id))).toEqual(new Set([id]));
    await harness.admin('PATCH', `${EVENTS}/${id}`, { recurrence: ['RRULE:FREQ=WEEKLY;UNTIL=20261118T000000Z'] });
    const round = await readAll(client, deltaPath);
    expect(round.items.map((item) => [item.id, item['@removed']?.reason])).toEqual([[id, 'deleted']]);
  });

  test('microsoft: of a series that becomes a single event the occurrences are removed one by one', async () => {
    const { id } = await weekly();
    const { items, deltaPath } = await readAll(client, DELTA);
    await client.api(`/me/events/${id}`).patch({ recurrence: null });
    const round = await readAll(client, deltaPath);
    const occurrences = items.filter(({ type }) => type === 'occurrence').map((item) => item.id);
    expect(round.items.filter((item) => item['@removed'] !== undefined).map((item) => item.id)).toEqual(occurrences);
    expect(round.items.at(-1)).toMatchObject({ id, type: 'singleInstance' });
  });

  test('microsoft: an occurrence keeps its hour on the wall when the clocks change', async () => {
    await weekly({
      start: '2026-10-26T09:00:00',
      end: '2026-10-26T10:00:00',
      recurrence: ['RRULE:FREQ=WEEKLY;COUNT=2'],
    });
    const path = '/me/calendarView/delta?startDateTime=2026-10-01T00:00:00Z&endDateTime=2026-12-01T00:00:00Z';
    const { items } = await readAll(client, path);
    expect(items.slice(1).map(({ start }) => (start as { dateTime: string }).dateTime.slice(0, 16))).toEqual([
      '2026-10-26T13:00',
      '2026-11-02T14:00',
    ]);
  });

  test('microsoft: each occurrence has an iCalUId of its own', async () => {
    const { id } = await weekly();
    const { items } = await readAll(
      client,
      `/me/events/${id}/instances?startDateTime=2026-11-19T00:00:00Z&endDateTime=2027-02-19T00:00:00Z`,
    );
    expect(items.map(({ type }) => type)).toEqual(new Array(5).fill('occurrence'));
    expect(new Set(items.map(({ iCalUId }) => iCalUId)).size).toBe(5);
  });
});
