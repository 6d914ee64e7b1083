import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { NOW, signal } from '../adapter-arguments.ts';
import { type LocalServer, startLocalServer } from '../local-server.ts';
import { describeRecorded, readFixture } from './fixtures.ts';
import { EVENTS, openTestCalendar, refusal } from './session.ts';

const WATCH = `POST ${EVENTS}/watch`;
const STOP = 'POST /calendar/v3/channels/stop';
const request = {
  channelId: '0b9c3d44-7f53-4f0e-8a51-5a52a7cbb0aa',
  secret: 'channel-secret',
  notificationUrl: 'https://hooks.example.com/api/webhooks/calendar/google',
  expiresAt: new Date(NOW.getTime() + 14 * 86_400_000),
};
const handle = { channelId: request.channelId, resourceId: 'res-1', subscriptionId: null };

let server: LocalServer;
beforeEach(async () => {
  server = await startLocalServer();
});
afterEach(() => server.close());
const open = () => openTestCalendar(server.baseUrl);

describe('openChannel', () => {
  test('asks for as long a life as is wanted, in both ways that Google takes', async () => {
    server.on(WATCH, { body: { id: request.channelId, resourceId: 'res-1', expiration: '1796000000000' } });
    const opened = await open().openChannel(request, signal);
    expect(server.requests[0]?.body).toEqual({
      id: request.channelId,
      type: 'web_hook',
      address: request.notificationUrl,
      token: 'channel-secret',
      expiration: String(request.expiresAt.getTime()),
      params: { ttl: '1209600' },
    });
    expect(opened).toEqual({ resourceId: 'res-1', subscriptionId: null, expiresAt: new Date(1_796_000_000_000) });
  });

  test('takes the wanted end where the answer names none', async () => {
    server.on(WATCH, { body: { id: request.channelId, resourceId: 'res-1' } });
    expect((await open().openChannel(request, signal)).expiresAt).toEqual(request.expiresAt);
  });

  test.each([
    ['a calendar that cannot be watched', 400, 'pushNotSupportedForRequestedResource', 'permanent'],
    ['an address that is not ours', 401, 'push.webhookUrlUnauthorized', 'permanent'],
    ['an id that was used before', 400, 'channelIdNotUnique', 'conflict'],
  ])('%s is told apart', async (_, status, reason, kind) => {
    server.on(WATCH, refusal(status, reason));
    await expect(open().openChannel(request, signal)).rejects.toMatchObject({ kind, reason });
  });
});

describeRecorded('a recorded channel', () => {
  test('ends when its answer says so, in milliseconds written as text', async () => {
    server.on(WATCH, { body: readFixture('watch-created.json') });
    expect(await open().openChannel(request, signal)).toEqual({
      resourceId: '4mZ-mIg25hIwPjZPeaasJjGb8jH',
      subscriptionId: null,
      expiresAt: new Date(1_773_905_359_000),
    });
  });
});

describe('closeChannel', () => {
  test('names channel and resource', async () => {
    server.on(STOP, { status: 204 });
    await open().closeChannel(handle, signal);
    expect(server.requests[0]?.body).toEqual({ id: request.channelId, resourceId: 'res-1' });
  });

  test.each([
    [404, 'channelUnknown'],
    [404, 'notFound'],
    [410, 'deleted'],
  ])('is done when it has ended already (%p %s)', async (status, reason) => {
    server.on(STOP, refusal(status, reason));
    await expect(open().closeChannel(handle, signal)).resolves.toBeUndefined();
  });

  test('asks for nothing when the resource never became known', async () => {
    await open().closeChannel({ ...handle, resourceId: null }, signal);
    expect(server.requests).toHaveLength(0);
  });
});

test('a channel cannot be renewed in place, and there is no list of them', async () => {
  const renewed = open().renewChannel(handle, request.expiresAt, signal);
  await expect(renewed).rejects.toMatchObject({ kind: 'permanent', reason: 'renewal_unsupported' });
  expect(await open().listChannels(signal)).toBeNull();
});
