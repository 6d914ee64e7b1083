import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Client } from '@microsoft/microsoft-graph-client';
import {
  type Harness,
  handshake,
  type Json,
  type Received,
  type Receiver,
  startReceiver,
  startSandbox,
} from './harness.ts';
import {
  DELTA,
  grantMicrosoft,
  graphClient,
  graphRefusalOf,
  type MicrosoftGrant,
  readAll,
} from './microsoft-client.ts';

let harness: Harness;
let receiver: Receiver;
let grant: MicrosoftGrant;
let client: Client;
const email = 'bob@example.com';
const EVENTS = `/calendars/microsoft/${email}/events`;
const MINUTE_MS = 60_000;

beforeAll(async () => {
  harness = await startSandbox();
});
afterAll(() => harness.close());
beforeEach(async () => {
  await harness.admin('POST', '/reset');
  // Each change at once, so that what is not delivered can be seen.
  await harness.admin('PUT', '/settings', { microsoft: { batch_ms: 0 } });
  receiver = await startReceiver();
  grant = await grantMicrosoft(harness, email);
  client = graphClient(harness, grant);
});
afterEach(() => receiver.close());

const inMinutes = (minutes: number) => new Date(harness.sandbox.state.clock.now() + minutes * MINUTE_MS).toISOString();
const wish = (more: object = {}) => ({
  changeType: 'created,updated,deleted',
  resource: 'me/events',
  notificationUrl: `${receiver.url}/changes?from=us`,
  lifecycleNotificationUrl: `${receiver.url}/lifecycle`,
  expirationDateTime: inMinutes(1000),
  clientState: 'secret',
  ...more,
});
const subscribe = (more: object = {}): Promise<Json & { id: string; expirationDateTime: string }> =>
  client.api('/subscriptions').post(wish(more));
const add = (day = '2026-12-01') =>
  harness.admin<{ id: string }>('POST', EVENTS, { start: `${day}T09:00:00Z`, end: `${day}T10:00:00Z` });

interface Item extends Json {
  readonly subscriptionId: string;
  readonly changeType?: string;
  readonly lifecycleEvent?: string;
  readonly clientState?: string;
  readonly resourceData?: { readonly id: string };
}
const itemsOf = (received: Received): Item[] => (received.body === '' ? [] : JSON.parse(received.body).value);
const allItems = () => receiver.received.flatMap(itemsOf);
const arrival = (matches: (item: Item) => boolean) => receiver.next((one) => itemsOf(one).some(matches));
const firstChange = () => arrival(({ changeType }) => changeType !== undefined);
const deliveries = async (query = '') =>
  (
    await harness.admin<{ notifications: (Json & { attempts: { status: number }[] })[] }>(
      'GET',
      `/notifications${query}`,
    )
  ).notifications;

describe('microsoft: the handshake', () => {
  test('[W-2] microsoft: both addresses must give the token back, decoded, as plain text', async () => {
    const made = await subscribe();
    expect(made.id).toMatch(/^[0-9a-f-]{36}$/);
    const asked = receiver.received.map(({ url, headers }) => [url.split('?')[0], headers['content-type']]);
    expect(asked).toEqual([
      ['/changes', 'text/plain; charset=utf-8'],
      ['/lifecycle', 'text/plain; charset=utf-8'],
    ]);
    expect(receiver.received[0]?.url).toMatch(/^\/changes\?from=us&validationToken=Validation%3A\+Testing\+client\+/);
  });

  test.each<[string, (received: Received) => { status: number; body?: string; type?: string }]>([
    ['the token is left encoded', ({ url }) => ({ status: 200, body: url.split('validationToken=')[1] ?? '' })],
    ['the status is another success', (received) => ({ ...handshake(received), status: 202 })],
    ['the answer is no plain text', (received) => ({ ...handshake(received), type: 'application/json' })],
    ['the answer is something else', () => ({ status: 200, body: 'OK' })],
  ])('microsoft: there is no subscription when %s', async (_name, answer) => {
    receiver.answerWith(answer);
    expect(await graphRefusalOf(subscribe())).toEqual({ status: 400, code: 'ValidationError' });
    expect((await client.api('/subscriptions').get()).value).toEqual([]);
  });

  test('microsoft: there is no subscription when nobody answers in time', async () => {
    await harness.admin('PUT', '/settings', { notifications: { timeout_ms: 50 } });
    const unreachable = { notificationUrl: 'http://127.0.0.1:1/' };
    expect((await graphRefusalOf(subscribe(unreachable))).code).toBe('ValidationError');
  });
});

describe('microsoft: a subscription’s life', () => {
  test('microsoft: it is shown, listed, renewed and deleted', async () => {
    const made = await subscribe();
    expect(await client.api(`/subscriptions/${made.id}`).get()).toMatchObject({ id: made.id, resource: 'me/events' });
    const wanted = inMinutes(2000);
    const renewed = await client.api(`/subscriptions/${made.id}`).patch({ expirationDateTime: wanted });
    expect(renewed.expirationDateTime).toBe(wanted);
    expect((await client.api('/subscriptions').get()).value.map(({ id }: Json) => id)).toEqual([made.id]);
    await client.api(`/subscriptions/${made.id}`).delete();
    const gone = { status: 404, code: 'ResourceNotFound' };
    expect(await graphRefusalOf(client.api(`/subscriptions/${made.id}`).get())).toEqual(gone);
    expect(await graphRefusalOf(client.api(`/subscriptions/${made.id}`).patch({ expirationDateTime: wanted }))).toEqual(
      gone,
    );
  });

  test('microsoft: it lives 45 minutes at least and 10,080 at most, and then it is gone', async () => {
    const short = await subscribe({ expirationDateTime: inMinutes(1) });
    const minutes = (Date.parse(short.expirationDateTime) - harness.sandbox.state.clock.now()) / MINUTE_MS;
    expect(Math.round(minutes)).toBe(45);
    const tooLong = { status: 400, code: 'ExtensionError' };
    expect(await graphRefusalOf(subscribe({ expirationDateTime: inMinutes(10_081) }))).toEqual(tooLong);
    const renewal = { expirationDateTime: inMinutes(10_081) };
    expect(await graphRefusalOf(client.api(`/subscriptions/${short.id}`).patch(renewal))).toEqual(tooLong);
    await harness.admin('PUT', '/clock', { advance_ms: 46 * MINUTE_MS });
    await add();
    expect(await deliveries()).toEqual([]);
    expect((await client.api('/subscriptions').get()).value).toEqual([]);
  });

  test('microsoft: a second one of the same kind is refused, unless the settings let it pass', async () => {
    await subscribe();
    expect(await graphRefusalOf(subscribe())).toEqual({ status: 409, code: 'Conflict' });
    expect((await subscribe({ changeType: 'deleted' })).changeType).toBe('deleted');
    await harness.admin('PUT', '/settings', { microsoft: { refuse_duplicate_subscriptions: false } });
    await subscribe();
    expect((await client.api('/subscriptions').get()).value).toHaveLength(3);
  });

  test.each([
    ['a single event', { resource: 'me/events/AAMk' }],
    ['somebody else’s mailbox', { resource: 'users/eve@example.com/events' }],
    ['a calendar that does not exist', { resource: 'me/calendars/none/events' }],
    ['a page of events', { resource: 'me/events?$top=5' }],
    ['an unknown kind of change', { changeType: 'renamed' }],
    ['an address without TLS', { notificationUrl: 'http://example.com/' }],
    ['a client state beyond 128 characters', { clientState: 'x'.repeat(129) }],
    ['no end', { expirationDateTime: undefined }],
    ['an end in the past', { expirationDateTime: '2020-01-01T00:00:00Z' }],
  ])('microsoft: %s cannot be subscribed to', async (_name, more) => {
    expect((await graphRefusalOf(subscribe(more))).status).toBeGreaterThanOrEqual(400);
    expect(receiver.received).toEqual([]);
  });

  test('microsoft: it belongs to its user and client, and needs more than Calendars.ReadBasic', async () => {
    const { id } = await subscribe();
    const others = graphClient(harness, await grantMicrosoft(harness, 'eve@example.com'));
    expect((await graphRefusalOf(others.api(`/subscriptions/${id}`).get())).status).toBe(404);
    const basic = { scopes: ['Calendars.ReadBasic'] };
    const narrow = graphClient(harness, await grantMicrosoft(harness, 'ann@example.com', basic));
    expect(await graphRefusalOf(narrow.api('/subscriptions').post(wish()))).toMatchObject({ status: 403 });
  });
});

describe('microsoft: change notifications', () => {
  test('[W-5] microsoft: a change names subscription, secret and event, and tells nothing more', async () => {
    const { id } = await subscribe();
    const { id: eventId } = await add();
    const { headers, url } = await firstChange();
    expect([url, headers['content-type']]).toEqual(['/changes?from=us', 'application/json; charset=utf-8']);
    const [item] = allItems();
    expect(item).toMatchObject({ subscriptionId: id, clientState: 'secret', changeType: 'created' });
    expect(item?.resourceData?.id).toBe(eventId);
    expect((await client.api(`/me/events/${eventId}`).get()).id).toBe(eventId);
    expect(JSON.stringify(item)).not.toContain('09:00');
  });

  test('microsoft: one’s own writes are told too; created, updated and deleted as far as they were wished', async () => {
    await subscribe({ changeType: 'updated,deleted' });
    const made = await client.api('/me/events').post({
      start: { dateTime: '2026-12-01T09:00:00', timeZone: 'UTC' },
      end: { dateTime: '2026-12-01T10:00:00', timeZone: 'UTC' },
    });
    await client.api(`/me/events/${made.id}`).patch({ subject: 'x' });
    await client.api(`/me/events/${made.id}`).delete();
    await receiver.next(() => allItems().length === 2);
    expect(
      allItems()
        .map(({ changeType }) => changeType)
        .sort(),
    ).toEqual(['deleted', 'updated']);
  });

  test('microsoft: changes of one moment share a delivery, also those of several subscriptions', async () => {
    await harness.admin('PUT', '/settings', { microsoft: { batch_ms: 1_000 } });
    const first = await subscribe();
    client = graphClient(harness, await grantMicrosoft(harness, 'eve@example.com'));
    const second = await subscribe();
    await add();
    await harness.admin('POST', '/calendars/microsoft/eve@example.com/events', {
      start: '2026-12-01T09:00:00Z',
      end: '2026-12-01T10:00:00Z',
    });
    const delivery = await firstChange();
    expect(itemsOf(delivery).map(({ subscriptionId }) => subscriptionId)).toEqual([first.id, second.id]);
  });

  test('[W-4] microsoft: one edit may be told several times, a creation followed by updates', async () => {
    await harness.admin('PUT', '/settings', { microsoft: { notifications_per_change: 3, batch_ms: 10 } });
    await subscribe();
    await add();
    await firstChange();
    expect(allItems().map(({ changeType }) => changeType)).toEqual(['created', 'updated', 'updated']);
    expect(new Set(allItems().map(({ id }) => id)).size).toBe(3);
  });

  test('microsoft: me/events is the default calendar alone, another one has its own address', async () => {
    const calendars = [{ id: 'other', summary: 'Other' }];
    await harness.admin('PUT', '/users', { calendar_provider: 'microsoft', email, calendars });
    const own = await subscribe();
    const other = await subscribe({ resource: 'me/calendars/other/events' });
    await harness.admin('POST', `${EVENTS}?calendar_id=other`, { start: '2026-12-01T09:00:00Z' });
    await add();
    await receiver.next(() => allItems().length === 2);
    const told = allItems().map(({ subscriptionId }) => subscriptionId);
    expect(told.sort()).toEqual([other.id, own.id].sort());
  });

  test('[W-7] microsoft: whatever is no success is tried again until it is one', async () => {
    await harness.admin('PUT', '/settings', { notifications: { retry_base_ms: 5 } });
    await subscribe();
    let refusals = 0;
    receiver.answerWith(() => {
      refusals += 1;
      return { status: refusals === 1 ? 503 : refusals === 2 ? 401 : 202 };
    });
    await add();
    const allArrived = () => receiver.received.filter(({ body }) => body !== '').length === 3;
    await receiver.next(allArrived);
    const done = async (): Promise<Json & { attempts: { status: number }[] }> => {
      const [delivery] = await deliveries('?kind=change');
      return delivery === undefined || delivery.outcome === 'pending' ? done() : delivery;
    };
    const delivery = await done();
    expect(delivery.attempts.map(({ status }) => status)).toEqual([503, 401, 202]);
    expect(delivery.outcome).toBe('delivered');
  });

  test('[W-4] microsoft: on order notifications are dropped, doubled, and overtaken', async () => {
    const { id: channel } = await subscribe();
    await harness.admin('POST', '/notification-faults', { action: 'drop', provider: 'microsoft', channel, times: 1 });
    await add('2026-12-01');
    expect((await deliveries('?kind=change')).map(({ outcome }) => outcome)).toEqual(['drop']);
    await harness.admin('POST', '/notification-faults', { action: 'duplicate', channel, times: 1 });
    const doubled = await add('2026-12-02');
    await receiver.next(() => allItems().filter((item) => item.resourceData?.id === doubled.id).length === 2);
    const ids = allItems().map(({ id }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([2, 1]);
    await harness.admin('POST', '/notification-faults', { action: 'reorder', channel, times: 1, delay_ms: 10_000 });
    const held = await add('2026-12-03');
    const overtaking = await add('2026-12-04');
    await arrival((item) => item.resourceData?.id === held.id);
    const order = (await deliveries('?kind=change')).slice(-2).map(({ id }) => id);
    const arrived = allItems()
      .slice(2)
      .map(({ resourceData }) => resourceData?.id)
      .sort();
    expect(order).toHaveLength(2);
    expect(arrived).toEqual([held.id, overtaking.id].sort());
  });

  test('[W-4] microsoft: a silenced subscription lives and says nothing', async () => {
    const { id: channel } = await subscribe();
    await harness.admin('POST', '/channels/silence', { channel });
    await add();
    expect((await deliveries('?kind=change')).map(({ outcome }) => outcome)).toEqual(['silenced']);
    expect((await client.api('/subscriptions').get()).value).toHaveLength(1);
  });
});

describe('microsoft: lifecycle notifications', () => {
  const order = (event: string, more: object = {}) =>
    harness.admin<Json>('POST', '/channels/lifecycle', { event, ...more });

  test('microsoft: reauthorizationRequired pauses delivery until the client renews or reauthorizes', async () => {
    const { id } = await subscribe();
    expect(await order('reauthorizationRequired')).toEqual({ subscriptions: 1, told: 1 });
    const { url } = await arrival(({ lifecycleEvent }) => lifecycleEvent === 'reauthorizationRequired');
    expect(url).toBe('/lifecycle');
    expect(allItems()[0]).toMatchObject({ subscriptionId: id, clientState: 'secret' });
    await add('2026-12-01');
    expect(await deliveries('?kind=change')).toEqual([]);
    await client.api(`/subscriptions/${id}/reauthorize`).post({});
    await add('2026-12-02');
    await firstChange();
    await order('reauthorizationRequired');
    await client.api(`/subscriptions/${id}`).patch({ expirationDateTime: inMinutes(2000) });
    const last = await add('2026-12-03');
    await arrival((item) => item.resourceData?.id === last.id);
  });

  test('microsoft: subscriptionRemoved is told, or not, and the subscription is gone', async () => {
    await subscribe();
    await order('subscriptionRemoved', { email });
    await arrival(({ lifecycleEvent }) => lifecycleEvent === 'subscriptionRemoved');
    expect((await client.api('/subscriptions').get()).value).toEqual([]);
    const { id } = await subscribe();
    expect(await order('subscriptionRemoved', { channel: id, silently: true })).toEqual({ subscriptions: 1, told: 0 });
    expect((await client.api('/subscriptions').get()).value).toEqual([]);
  });

  test('microsoft: missed says that something was lost; the feed has it all the same', async () => {
    const { id } = await subscribe();
    await harness.admin('POST', '/notification-faults', { action: 'drop', channel: id, times: 1 });
    const event = await add();
    await order('missed', { channel: id });
    await arrival(({ lifecycleEvent }) => lifecycleEvent === 'missed');
    expect((await readAll(client, DELTA)).items.map((item) => item.id)).toEqual([event.id]);
  });

  test('microsoft: a subscription without a lifecycle address is told nothing', async () => {
    await subscribe({ lifecycleNotificationUrl: undefined });
    expect(await order('missed')).toEqual({ subscriptions: 1, told: 0 });
  });
});
