import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CalendarPort } from '../../src/contract/index.ts';
import { NOW, signal } from '../adapter-arguments.ts';
import { type LocalServer, startLocalServer } from '../local-server.ts';
import { describeRecorded, readFixture } from './fixtures.ts';
import { openTestCalendar } from './session.ts';

let server: LocalServer;
let calendar: CalendarPort;

beforeEach(async () => {
  server = await startLocalServer();
  calendar = openTestCalendar(server.baseUrl);
});
afterEach(() => server.close());

const minutes = (count: number) => new Date(NOW.getTime() + count * 60_000);
const request = {
  channelId: 'ch-1',
  secret: 's3cret',
  notificationUrl: 'https://hooks.example.com/graph?channel=ch-1',
  expiresAt: minutes(4_000),
};
const granted = (expiresAt: Date) => ({
  status: 201,
  body: { id: 'S1', expirationDateTime: expiresAt.toISOString(), notificationUrl: request.notificationUrl },
});
const handle = { channelId: 'ch-1', resourceId: null, subscriptionId: 'S1' };

describe('openChannel', () => {
  test('[W-2] subscribes to the default calendar, lifecycle notifications included', async () => {
    server.on('POST /v1.0/subscriptions', granted(minutes(3_999)));
    await expect(calendar.openChannel(request, signal)).resolves.toEqual({
      resourceId: null,
      subscriptionId: 'S1',
      expiresAt: minutes(3_999),
    });
    expect(server.requests[0]?.body).toEqual({
      changeType: 'created,updated,deleted',
      resource: 'me/events',
      notificationUrl: request.notificationUrl,
      lifecycleNotificationUrl: request.notificationUrl,
      expirationDateTime: minutes(4_000).toISOString(),
      clientState: 's3cret',
    });
    expect(server.requests[0]?.headers.prefer).toContain('IdType="ImmutableId"');
  });

  test('[W-2] subscribes to another calendar by its id', async () => {
    server.on('POST /v1.0/subscriptions', granted(minutes(1)));
    await openTestCalendar(server.baseUrl, { calendarId: 'AAMk=' }).openChannel(request, signal);
    expect(server.requests[0]?.body).toMatchObject({ resource: 'me/calendars/AAMk=/events' });
  });

  test('[W-2] never asks for longer than Graph grants, with a margin for clocks', async () => {
    server.on('POST /v1.0/subscriptions', granted(minutes(10_070)));
    await calendar.openChannel({ ...request, expiresAt: minutes(99_999) }, signal);
    expect(server.requests[0]?.body?.expirationDateTime).toBe(minutes(10_070).toISOString());
  });

  test('[W-2] asks for less where the longest life is refused, and once only', async () => {
    const tooLong = { status: 400, body: { error: { code: 'ExtensionError' } } };
    server.on('POST /v1.0/subscriptions', tooLong, granted(minutes(4_220)));
    const opened = await calendar.openChannel({ ...request, expiresAt: minutes(99_999) }, signal);
    expect(opened.expiresAt).toEqual(minutes(4_220));
    expect(server.requests.map(({ body }) => body?.expirationDateTime)).toEqual(
      [10_070, 4_220].map((count) => minutes(count).toISOString()),
    );
    server.on('PATCH /v1.0/subscriptions/S1', tooLong);
    await expect(calendar.renewChannel(handle, minutes(99_999), signal)).rejects.toMatchObject({ kind: 'permanent' });
    expect(server.requests).toHaveLength(4);
  });

  test.each([
    [409, 'Conflict', 'conflict'],
    [400, 'ValidationError', 'transient'],
    [400, 'ExtensionError', 'permanent'],
    [403, 'ErrorAccessDenied', 'permanent'],
  ])('[W-2] on %i %s is %s', async (status, code, kind) => {
    server.on('POST /v1.0/subscriptions', { status, body: { error: { code } } });
    await expect(calendar.openChannel(request, signal)).rejects.toMatchObject({ kind, operation: 'open_channel' });
  });

  test('[W-2] leaves open what an answer without an id did', async () => {
    server.on('POST /v1.0/subscriptions', { status: 201, body: { id: 'S1', expirationDateTime: 'soon' } });
    await expect(calendar.openChannel(request, signal)).rejects.toMatchObject({
      reason: 'unreadable_answer',
      outcomeUnknown: true,
    });
  });
});

describe('renewChannel', () => {
  test('[W-2] extends the subscription in place', async () => {
    server.on('PATCH /v1.0/subscriptions/S1', granted(minutes(9_000)));
    await expect(calendar.renewChannel(handle, minutes(9_000), signal)).resolves.toMatchObject({
      subscriptionId: 'S1',
      expiresAt: minutes(9_000),
    });
    expect(server.requests[0]?.body).toEqual({ expirationDateTime: minutes(9_000).toISOString() });
  });

  test('[W-2] is not_found when the subscription is gone or was never known', async () => {
    server.on('PATCH /v1.0/subscriptions/S1', { status: 404, body: { error: { code: 'ResourceNotFound' } } });
    await expect(calendar.renewChannel(handle, minutes(1), signal)).rejects.toMatchObject({ kind: 'not_found' });
    const unanswered = { ...handle, subscriptionId: null };
    await expect(calendar.renewChannel(unanswered, minutes(1), signal)).rejects.toMatchObject({ kind: 'not_found' });
    expect(server.requests).toHaveLength(1);
  });
});

describe('closeChannel', () => {
  test.each([204, 404])('[W-2] ends on %i', async (status) => {
    server.on('DELETE /v1.0/subscriptions/S1', { status });
    await expect(calendar.closeChannel(handle, signal)).resolves.toBeUndefined();
    expect(server.requests).toHaveLength(1);
  });

  test('[W-2] asks nothing for a channel that was never answered', async () => {
    await calendar.closeChannel({ ...handle, subscriptionId: null }, signal);
    expect(server.requests).toHaveLength(0);
  });
});

describe('listChannels', () => {
  test('[W-2] lists them all, page by page, past what it cannot read', async () => {
    const item = (id: string) => ({
      id,
      notificationUrl: `https://hooks.example.com/${id}`,
      expirationDateTime: '2026-11-23T18:23:45.9356913Z',
    });
    server.on(
      'GET /v1.0/subscriptions',
      {
        body: {
          value: [item('S1'), { id: 'S9' }],
          '@odata.nextLink': `${server.baseUrl}/v1.0/subscriptions?$skiptoken=x`,
        },
      },
      { body: { value: [item('S2')] } },
    );
    await expect(calendar.listChannels(signal)).resolves.toEqual([
      {
        subscriptionId: 'S1',
        notificationUrl: 'https://hooks.example.com/S1',
        expiresAt: new Date('2026-11-23T18:23:45.935Z'),
      },
      {
        subscriptionId: 'S2',
        notificationUrl: 'https://hooks.example.com/S2',
        expiresAt: new Date('2026-11-23T18:23:45.935Z'),
      },
    ]);
  });
});

describeRecorded('recorded subscriptions', () => {
  test('[W-2] are read when created and when renewed', async () => {
    server.on('POST /v1.0/subscriptions', { status: 201, body: readFixture('subscription-created.json') });
    server.on('PATCH /v1.0/subscriptions/S1', { body: readFixture('subscription-renewed.json') });
    const subscriptionId = '7f105c7d-2dc5-4530-97cd-4e7ae6534c07';
    await expect(calendar.openChannel(request, signal)).resolves.toEqual({
      resourceId: null,
      subscriptionId,
      expiresAt: new Date('2026-11-20T18:23:45.935Z'),
    });
    await expect(calendar.renewChannel(handle, minutes(1), signal)).resolves.toEqual({
      resourceId: null,
      subscriptionId,
      expiresAt: new Date('2026-11-23T18:23:45.935Z'),
    });
  });
});
