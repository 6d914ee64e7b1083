/** Defences taken away on order: for tests that must be able to fail. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { googleClient, grantGoogle, listAll } from './google-client.ts';
import { type Harness, startSandbox } from './harness.ts';
import { grantMicrosoft, graphClient } from './microsoft-client.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startSandbox({ forget: { client_ids: true, if_match: true }, google: { max_page_size: 1 } });
});
afterAll(() => harness.close());

const span = { start: { dateTime: '2026-12-01T09:00:00Z' }, end: { dateTime: '2026-12-01T10:00:00Z' } };

test('google: with ids forgotten the same insert makes two events, with etags forgotten a stale one writes', async () => {
  const client = googleClient(harness, await grantGoogle(harness, 'ada@example.com'));
  const requestBody = { id: 'bookingid0123456789', summary: 'first', ...span };
  const { data: first } = await client.events.insert({ calendarId: 'primary', requestBody });
  const { data: second } = await client.events.insert({ calendarId: 'primary', requestBody });
  expect(new Set([first.id, second.id, 'bookingid0123456789']).size).toBe(3);
  const eventId = first.id ?? '';
  const write = (summary: string) =>
    client.events.patch(
      { calendarId: 'primary', eventId, requestBody: { summary } },
      { headers: { 'If-Match': first.etag ?? '' } },
    );
  await write('second');
  expect((await write('stale')).data.summary).toBe('stale');
  expect((await listAll(client, { calendarId: 'primary' })).pages).toBe(2);
});

test('microsoft: with ids forgotten the same transaction makes two events, with etags forgotten a stale one writes', async () => {
  const client = graphClient(harness, await grantMicrosoft(harness, 'ada@example.com'));
  const zoned = (at: string) => ({ dateTime: at, timeZone: 'UTC' });
  const body = {
    subject: 'first',
    transactionId: 'one',
    start: zoned('2026-12-01T09:00:00'),
    end: zoned('2026-12-01T10:00:00'),
  };
  const first = await client.api('/me/events').post(body);
  const second = await client.api('/me/events').post(body);
  expect(second.id).not.toBe(first.id);
  const write = (subject: string) =>
    client.api(`/me/events/${first.id}`).header('if-match', first['@odata.etag']).patch({ subject });
  await write('second');
  expect((await write('stale')).subject).toBe('stale');
});
