import { describe, expect, test } from '@jest/globals';
import { describeRecorded, readFixture } from '../../test/google/fixtures.ts';
import { parseGoogleNotification } from './notification.ts';

const headers = {
  'x-goog-channel-id': '01234567-89ab-cdef-0123456789ab',
  'x-goog-channel-token': 'secret',
  'x-goog-resource-id': 'o3hgv1538sdjfh',
  'x-goog-resource-state': 'exists',
  'x-goog-message-number': '10',
};

describeRecorded('recorded notifications', () => {
  const expected = {
    channelId: '01234567-89ab-cdef-0123456789ab',
    channelToken: 'target=myApp-myCalendarChannelDest',
    resourceId: 'o3hgv1538sdjfh',
  };
  test.each([
    ['push-sync.json', { messageNumber: '1', resourceState: 'sync', isHandshake: true }],
    ['push-exists.json', { messageNumber: '10', resourceState: 'exists', isHandshake: false }],
  ])('[W-2] %s is read whole', (file, special) => {
    const recorded = readFixture(file) as { headers: Record<string, string> };
    expect(parseGoogleNotification(recorded.headers)).toEqual({ ...expected, ...special });
  });
});

describe('parseGoogleNotification', () => {
  test('[W-2] needs no header but the channel’s id', () => {
    expect(parseGoogleNotification({ 'x-goog-channel-id': 'c-1' })).toEqual({
      channelId: 'c-1',
      channelToken: null,
      resourceId: null,
      messageNumber: null,
      resourceState: 'unknown',
      isHandshake: false,
    });
  });

  test.each([
    ['without a channel id', { ...headers, 'x-goog-channel-id': undefined }, 'no_channel_id'],
    ['with an empty channel id', { ...headers, 'x-goog-channel-id': '' }, 'no_channel_id'],
    ['with two channel ids', { ...headers, 'x-goog-channel-id': ['a', 'b'] }, 'no_channel_id'],
    ['with a channel id in two spellings', { ...headers, 'X-Goog-Channel-ID': 'b' }, 'no_channel_id'],
    [
      'with a longer channel id than Google allows',
      { ...headers, 'x-goog-channel-id': 'a'.repeat(65) },
      'bad_channel_id',
    ],
    ['with a statement for a channel id', { ...headers, 'x-goog-channel-id': "1' or '1'='1" }, 'bad_channel_id'],
    ['with an endless token', { ...headers, 'x-goog-channel-token': 'a'.repeat(5_000) }, 'bad_header'],
  ])('[W-6] a request %s is refused', (_, given, error) => {
    expect(parseGoogleNotification(given)).toEqual({ error });
  });

  test.each([['-1'], ['1.5'], ['ten'], ['9'.repeat(21)]])('[W-4] %s is no message number', (number) => {
    expect(parseGoogleNotification({ ...headers, 'x-goog-message-number': number })).toMatchObject({
      messageNumber: null,
    });
  });

  test('[W-4] a message number keeps every digit', () => {
    const messageNumber = '9007199254740993';
    expect(parseGoogleNotification({ ...headers, 'x-goog-message-number': messageNumber })).toMatchObject({
      messageNumber,
    });
  });

  test.each([
    ['not_exists', 'not_exists'],
    ['add', 'unknown'],
  ])('[W-5] the state %s is no handshake: it says look', (state, resourceState) => {
    expect(parseGoogleNotification({ ...headers, 'x-goog-resource-state': state })).toMatchObject({
      resourceState,
      isHandshake: false,
    });
  });
});
