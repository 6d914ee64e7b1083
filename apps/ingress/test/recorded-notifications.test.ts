/** What the real calendar providers send, as it was recorded, through the real door. Left out without the recordings. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startIngress, type TestIngress } from './ingress-harness.ts';
import { GOOGLE, MICROSOFT, openSender } from './senders.ts';

const FOLDER = fileURLToPath(new URL('../../../../shared/fixtures/', import.meta.url));
const readRecording = <Shape>(file: string) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Shape;
// The recordings lie beside the repository, not in it; without them there is nothing to run.
const suite = existsSync(FOLDER) ? describe : describe.skip;

suite('a recorded notification', () => {
  let ingress: TestIngress;
  beforeAll(async () => {
    ingress = await startIngress();
  });
  afterAll(() => ingress?.close());

  const requestedOf = async (connectionId: string) => {
    const [row] = await ingress.database.sql`
      SELECT requested::int FROM external_calendar_connections WHERE id = ${connectionId}`;
    return row?.requested as number;
  };

  test.each([
    ['google/push-sync.json', { processed: true, reason: 'sync' }, 0],
    ['google/push-exists.json', { processed: true }, 1],
  ])('[W-1] [W-2] %s passes with the very headers that it has, and no other', async (file, expected, looks) => {
    const recorded = readRecording<{ headers: Record<string, string>; body: string | null }>(file);
    const sender = await openSender(ingress.database, 'google');
    const ours: Record<string, string> = {
      'x-goog-channel-id': sender.channelId,
      'x-goog-channel-token': sender.secret,
      'x-goog-resource-id': sender.resourceId,
    };
    const headers = Object.fromEntries(
      Object.entries(recorded.headers)
        .filter(([name]) => !['host', 'content-length'].includes(name.toLowerCase()))
        .map(([name, value]) => [name, ours[name.toLowerCase()] ?? value]),
    );
    const before = await requestedOf(sender.connection.id);
    const answer = await ingress.send('POST', GOOGLE, { headers, body: recorded.body ?? '' });
    expect([answer.status, answer.json]).toEqual([200, expect.objectContaining(expected)]);
    expect((await requestedOf(sender.connection.id)) - before).toBe(looks);
  });

  test.each([
    'notification-one-created.json',
    'lifecycle-missed.json',
    'lifecycle-reauthorizationRequired.json',
    'lifecycle-subscriptionRemoved.json',
  ])('[W-1] [W-2] microsoft/%s passes with the very members that it has', async (file) => {
    const recorded = readRecording<{ value: Record<string, unknown>[] }>(`microsoft/${file}`);
    const sender = await openSender(ingress.database, 'microsoft');
    const value = recorded.value.map((item) => ({
      ...item,
      subscriptionId: sender.subscriptionId,
      clientState: sender.secret,
    }));
    const before = await requestedOf(sender.connection.id);
    const answer = await ingress.send('POST', MICROSOFT, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...recorded, value }),
    });
    expect([answer.status, answer.json]).toEqual([
      200,
      { processed: true, accepted: value.length, duplicates: 0, rejected: 0 },
    ]);
    expect(await requestedOf(sender.connection.id)).toBeGreaterThan(before);
  });

  test('[W-2] the recorded handshake is answered with the token, decoded, as plain text', async () => {
    const recorded = readRecording<{ url: string; expectedAnswer: { body: string } }>(
      'microsoft/notification-validation-request.json',
    );
    const query = recorded.url.slice(recorded.url.indexOf('?'));
    const answer = await ingress.send('POST', `${MICROSOFT}${query}`, {
      headers: { 'content-type': 'text/plain' },
      body: '',
    });
    expect([answer.status, answer.text]).toEqual([200, recorded.expectedAnswer.body]);
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  });
});
