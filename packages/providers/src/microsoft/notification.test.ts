import { describe, expect, test } from '@jest/globals';
import { describeRecorded, readFixture } from '../../test/microsoft/fixtures.ts';
import { type GraphNotification, parseGraphNotification, readValidationToken } from './notification.ts';

function itemsOf(body: unknown): readonly GraphNotification[] {
  const read = parseGraphNotification(body);
  if ('error' in read) throw new Error(read.error);
  return read.items;
}

const change = { subscriptionId: 's1', clientState: 'secret', changeType: 'updated', resourceData: { id: 'E1' } };

describe('parseGraphNotification', () => {
  test('[W-2] reads each item for itself, whatever stands beside it', () => {
    const items = itemsOf({ value: [{ ...change, id: 'n1' }, 'garbage', { clientState: 5, changeType: 'moved' }] });
    expect(items).toMatchObject([
      { subscriptionId: 's1', clientState: 'secret', changeType: 'updated', deliveryKey: 'n1' },
      { subscriptionId: null, clientState: null, changeType: null, lifecycleEvent: null },
      { subscriptionId: null, clientState: null, changeType: 'unknown' },
    ]);
  });

  test.each([
    [null, 'not_a_notification'],
    ['text', 'not_a_notification'],
    [{}, 'not_a_notification'],
    [{ value: 'x' }, 'not_a_notification'],
    [{ value: [] }, 'empty'],
  ])('[W-6] calls %j no notification', (body, error) => {
    expect(parseGraphNotification(body)).toEqual({ error });
  });

  test('[W-4] gives a repeat without an id the same key, in whatever order it is written', () => {
    const [first] = itemsOf({ value: [{ ...change, tenantId: 't' }] });
    const [repeat] = itemsOf({ value: [{ tenantId: 't', ...change }] });
    expect(first?.deliveryKey).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(repeat?.deliveryKey).toBe(first?.deliveryKey);
  });

  test.each([
    ['another event', { ...change, resourceData: { id: 'e1' } }],
    ['another etag', { ...change, resourceData: { id: 'E1', '@odata.etag': 'W/"2"' } }],
    ['another kind of change', { ...change, changeType: 'deleted' }],
    ['a value nested elsewhere', { ...change, resourceData: {}, id2: 'E1' }],
  ])('[W-4] gives %s another key', (_, item) => {
    const [first, other] = itemsOf({ value: [change, item] });
    expect(other?.deliveryKey).not.toBe(first?.deliveryKey);
  });

  test('[W-4] tells items apart that hold the same values under other names', () => {
    const [first, other] = itemsOf({
      value: [
        { a: 'x', b: { c: 1 } },
        { a: 'x', b: { d: 1 } },
      ],
    });
    expect(other?.deliveryKey).not.toBe(first?.deliveryKey);
  });

  test('[W-4] hashes an id that is too long to be stored', () => {
    const [item] = itemsOf({ value: [{ ...change, id: 'x'.repeat(257) }] });
    expect(item?.deliveryKey).toMatch(/^sha256:/);
  });
});

test('[W-4] two lifecycle events without an id are two, however alike', () => {
  const missed = { subscriptionId: 's', clientState: 'c', lifecycleEvent: 'missed' };
  expect(itemsOf({ value: [missed, missed] }).map(({ deliveryKey }) => deliveryKey)).toEqual([null, null]);
});

describe('readValidationToken', () => {
  test.each([
    ['/graph?validationToken=a+b%3Ac', 'a b:c'],
    ['/graph?channel=1&validationToken=a%2Bb', 'a+b'],
    ['https://hooks.example.com/graph?validationToken=%C3%A9', 'é'],
    ['/graph?connection=1?validationToken=a%3Fb', 'a?b'],
    ['/graph?validationToken=', null],
    ['/graph?validationtoken=x', null],
    ['/graph', null],
  ])('[W-2] finds in %s the token %j', (url, token) => {
    expect(readValidationToken(url)).toBe(token);
  });
});

describeRecorded('recorded notifications', () => {
  test('[W-2] of a created event', () => {
    expect(itemsOf(readFixture('notification-one-created.json'))).toEqual([
      {
        subscriptionId: '7f105c7d-2dc5-4530-97cd-4e7ae6534c07',
        clientState: 'secretClientValue',
        changeType: 'created',
        lifecycleEvent: null,
        deliveryKey: 'lsgTZMr9KwAAA',
      },
    ]);
  });

  test.each(['missed', 'reauthorizationRequired', 'subscriptionRemoved'])('[W-2] of the lifecycle event %s', (name) => {
    const [item] = itemsOf(readFixture(`lifecycle-${name}.json`));
    expect(item).toMatchObject({ lifecycleEvent: name, changeType: null });
    expect(item?.subscriptionId).toMatch(/^[0-9a-f-]{36}$/);
    expect(item?.clientState).not.toBeNull();
  });

  test('[W-2] of the handshake', () => {
    const recorded = readFixture('notification-validation-request.json') as {
      url: string;
      expectedAnswer: { body: string };
    };
    expect(readValidationToken(recorded.url)).toBe(recorded.expectedAnswer.body);
  });
});
