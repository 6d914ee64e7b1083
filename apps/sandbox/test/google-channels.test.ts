import type { calendar_v3 } from '@googleapis/calendar';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { googleClient, grantGoogle, refusalOf } from './google-client.ts';
import { type Harness, type Json, type Received, type Receiver, startReceiver, startSandbox } from './harness.ts';

let harness: Harness;
let receiver: Receiver;
let client: calendar_v3.Calendar;
const email = 'ada@example.com';
const calendarId = 'primary';
const EVENTS = `/calendars/google/${email}/events`;

beforeAll(async () => {
  harness = await startSandbox({ notifications: { retry_base_ms: 5 } });
});
afterAll(() => harness.close());
beforeEach(async () => {
  await harness.admin('POST', '/reset');
  await harness.admin('PUT', '/settings', { notifications: { retry_base_ms: 5 } });
  receiver = await startReceiver();
  client = googleClient(harness, await grantGoogle(harness, email));
});
afterEach(() => receiver.close());

const watch = async (more: calendar_v3.Schema$Channel = {}) => {
  const requestBody = { id: 'c-1', type: 'web_hook', address: `${receiver.url}/google`, token: 'secret', ...more };
  return (await client.events.watch({ calendarId, requestBody })).data;
};
const add = () => harness.admin('POST', EVENTS, { start: '2026-12-01T09:00:00Z' });
const stateOf = ({ headers }: Received) => headers['x-goog-resource-state'];
const arrival = (state: string) => receiver.next((one) => stateOf(one) === state);
const settled = async (): Promise<(Json & { attempts: { status: number }[]; outcome: string })[]> => {
  const { pending, notifications } = await harness.admin<{ pending: number; notifications: never[] }>(
    'GET',
    '/notifications',
  );
  return pending > 0 ? settled() : notifications;
};

describe('google: channels', () => {
  test('[W-2] google: a new channel says sync, with id, token and resource and no body', async () => {
    const channel = await watch();
    const { headers, body } = await arrival('sync');
    expect(headers).toMatchObject({
      'x-goog-channel-id': 'c-1',
      'x-goog-channel-token': 'secret',
      'x-goog-resource-id': channel.resourceId,
      'x-goog-message-number': '1',
    });
    expect([body, headers['x-goog-channel-expiration'] !== undefined]).toEqual(['', true]);
  });

  test('[W-5] google: creation, change and deletion alike say exists, one’s own writes too, with growing numbers', async () => {
    await watch();
    const made = await client.events.insert({
      calendarId,
      requestBody: { start: { dateTime: '2026-12-01T09:00:00Z' }, end: { dateTime: '2026-12-01T10:00:00Z' } },
    });
    await client.events.patch({ calendarId, eventId: made.data.id ?? '', requestBody: { summary: 'x' } });
    await client.events.delete({ calendarId, eventId: made.data.id ?? '' });
    await receiver.next(() => receiver.received.filter((one) => stateOf(one) === 'exists').length === 3);
    const numbers = receiver.received
      .map(({ headers }) => Number(headers['x-goog-message-number']))
      .sort((a, b) => a - b);
    expect([numbers[0], new Set(numbers).size]).toEqual([1, 4]);
  });

  test('google: an id is taken for ever, and two channels on one calendar share the resource', async () => {
    const first = await watch();
    expect(await refusalOf(watch())).toEqual({ status: 400, reason: 'channelIdNotUnique' });
    const second = await watch({ id: 'c-2' });
    expect(second.resourceId).toBe(first.resourceId);
    await client.channels.stop({ requestBody: { id: 'c-1', resourceId: first.resourceId ?? '' } });
    expect((await refusalOf(watch())).reason).toBe('channelIdNotUnique');
  });

  test('google: a life beyond the longest is cut, and then the channel is silent', async () => {
    const month = 30 * 86_400;
    const { expiration } = await watch({ params: { ttl: String(10 * month) } });
    const life = Number(expiration) - harness.sandbox.state.clock.now();
    expect(Math.round(life / 1000 / 60)).toBe(month / 60);
    await arrival('sync');
    await harness.admin('PUT', '/clock', { advance_ms: (month + 1) * 1000 });
    await add();
    expect((await settled()).filter(({ kind }) => kind === 'exists')).toEqual([]);
  });

  test('google: a stopped channel is silent; an unknown one, or with a wrong resource, is not found', async () => {
    const { resourceId } = await watch();
    const stop = (id: string, resource = resourceId ?? '') =>
      client.channels.stop({ requestBody: { id, resourceId: resource } });
    expect((await refusalOf(stop('c-1', 'wrong'))).status).toBe(404);
    await stop('c-1');
    expect((await refusalOf(stop('c-1'))).status).toBe(404);
    await add();
    expect((await settled()).filter(({ kind }) => kind === 'exists')).toEqual([]);
  });

  test.each([
    ['an address without TLS', { address: 'http://example.com/' }],
    ['another kind of channel', { type: 'email' }],
    ['no id', { id: null }],
    ['an id beyond 64 characters', { id: 'x'.repeat(65) }],
    ['a token beyond 256 characters', { token: 'x'.repeat(257) }],
    ['an end in the past', { expiration: '1000' }],
  ])('google: %s is refused', async (_name, more) => {
    expect((await refusalOf(watch(more as calendar_v3.Schema$Channel))).status).toBe(400);
  });

  test('google: a calendar that cannot be watched says so', async () => {
    await harness.admin('PUT', '/users', { calendar_provider: 'google', email, watchable: false });
    expect((await refusalOf(watch())).reason).toBe('pushNotSupportedForRequestedResource');
  });

  test('[W-7] google: server errors are tried again, every other refusal ends the message', async () => {
    await watch();
    await arrival('sync');
    const statuses = [503, 500, 200, 401];
    receiver.answerWith(() => ({ status: statuses.shift() ?? 200 }));
    await add();
    const [, first] = await settled();
    expect([first?.attempts.map(({ status }) => status), first?.outcome]).toEqual([[503, 500, 200], 'delivered']);
    await add();
    const [, , second] = await settled();
    expect([second?.attempts.map(({ status }) => status), second?.outcome]).toEqual([[401], 'failed']);
  });

  test('[W-4] google: on order messages are dropped, doubled or silenced', async () => {
    await watch();
    await arrival('sync');
    await harness.admin('POST', '/notification-faults', { action: 'drop', kind: 'exists', times: 1 });
    await add();
    await harness.admin('POST', '/notification-faults', { action: 'duplicate', kind: 'exists', times: 1 });
    await add();
    await receiver.next(() => receiver.received.length === 3);
    const [, one, two] = receiver.received.map(({ headers }) => headers['x-goog-message-number']);
    expect(one).toBe(two);
    await harness.admin('POST', '/channels/silence', { channel: 'c-1' });
    await add();
    expect((await settled()).map(({ outcome }) => outcome)).toEqual([
      'delivered',
      'drop',
      'delivered',
      'delivered',
      'silenced',
    ]);
  });
});
