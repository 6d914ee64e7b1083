import { randomUUID } from 'node:crypto';
import { pruneDeliveries } from '@bookiji/db';
import { waitUntil } from '@bookiji/local-fleet';
import { channelSecret, createChannelId } from '@bookiji/sync';
import { insertConnection } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CHANNEL_SECRETS, startIngress, type TestIngress } from './ingress-harness.ts';
import { describeSender, GOOGLE, openSender, readRow, type Sender } from './senders.ts';

let ingress: TestIngress;
beforeAll(async () => {
  ingress = await startIngress();
});
afterAll(() => ingress.close());

const open = (over: Parameters<typeof openSender>[2] = {}) => openSender(ingress.database, 'google', over);
const notify = (headers: Record<string, string>, body?: string) =>
  ingress.send('POST', GOOGLE, { headers, ...(body === undefined ? {} : { body }) });
const rowOf = (sender: Sender) => readRow(ingress.database, sender.connection.id);

/** Sends it, expects a refusal with this status and code, and not a changed row in any table. */
async function expectRefusal(status: number, code: string, headers: Record<string, string>, body?: string) {
  const before = await ingress.snapshot();
  const answer = await notify(headers, body);
  expect([answer.status, answer.json?.error?.code]).toEqual([status, code]);
  expect(Object.keys(answer.json)).toEqual(['error']);
  expect(await ingress.snapshot()).toBe(before);
}

describe('google: genuine notifications', () => {
  test('[W-1][W-5] a notification is recorded and marks its connection before it is answered', async () => {
    const sender = await open();
    const answer = await notify(sender.headers());
    expect([answer.status, answer.json]).toEqual([200, { processed: true, connection_id: sender.connection.id }]);
    const row = await rowOf(sender);
    expect(row).toMatchObject({ requested: 2, sync_needed: true, deliveries: 1 });
    expect(Date.now() - Date.parse(String(row.last_webhook_received_at))).toBeLessThan(60_000);
  });

  test('[W-2] the handshake is answered as one and asks for no sync', async () => {
    const sender = await open({ state: 'registering' });
    const before = await ingress.snapshot();
    const answer = await notify(sender.headers({ 'x-goog-resource-state': 'sync', 'x-goog-message-number': '1' }));
    expect([answer.status, answer.json]).toEqual([200, { processed: true, reason: 'sync' }]);
    expect(await ingress.snapshot()).toBe(before);
  });

  test('[W-2] a change that comes before the answer to the opening of its channel is recorded', async () => {
    const sender = await open({ state: 'registering' });
    expect((await notify(sender.headers())).json).toHaveProperty('connection_id', sender.connection.id);
  });

  test.each(['exists', 'not_exists', 'something_new'])('[W-1] resource state %s means: look', async (state) => {
    const sender = await open();
    expect((await notify(sender.headers({ 'x-goog-resource-state': state }))).status).toBe(200);
    expect((await rowOf(sender)).requested).toBe(2);
  });

  test('[W-2] header names come in any case, values with spaces around them', async () => {
    const sender = await open();
    const headers = Object.fromEntries(
      Object.entries(sender.headers()).map(([name, value]) => [name.toUpperCase(), ` ${value} `]),
    );
    expect((await notify(headers)).status).toBe(200);
  });

  test('[W-2] a token under the secret before the newest still proves, and the newest signs', async () => {
    const older = await open({ secrets: CHANNEL_SECRETS.slice(1) });
    expect((await notify(older.headers())).status).toBe(200);
    const newer = await open();
    expect(newer.secret).toBe(channelSecret('google', newer.channelId, CHANNEL_SECRETS.slice(0, 1)));
    expect((await notify(newer.headers())).status).toBe(200);
    const forgotten = await open({ secrets: ['a secret that was removed'] });
    await expectRefusal(401, 'not_authentic', forgotten.headers());
  });

  test('[W-2] no robots.txt keeps them away: their sender obeys one', async () => {
    const { status } = await ingress.send('GET', '/robots.txt');
    expect(status).toBe(404);
  });

  test('[W-2] a retired channel may go on delivering; it is thanked and changes nothing', async () => {
    const sender = await open({ state: 'retired' });
    const before = await ingress.snapshot();
    const answer = await notify(sender.headers());
    expect([answer.status, answer.json]).toEqual([200, { processed: true, reason: 'retired_channel' }]);
    expect(await ingress.snapshot()).toBe(before);
  });
});

describe('google: repeats', () => {
  test('[W-4] the same delivery again is a duplicate', async () => {
    const sender = await open();
    const headers = sender.headers();
    expect((await notify(headers)).json).toEqual({ processed: true, connection_id: sender.connection.id });
    const again = await notify(headers);
    expect([again.status, again.json]).toEqual([200, { processed: true, reason: 'duplicate' }]);
    expect(await rowOf(sender)).toMatchObject({ requested: 2, deliveries: 1 });
  });

  test('[W-4] two different notifications about the same resource are both recorded', async () => {
    const sender = await open();
    await notify(sender.headers());
    expect((await notify(sender.headers())).json).toHaveProperty('connection_id');
    expect(await rowOf(sender)).toMatchObject({ deliveries: 2 });
  });

  test('[W-4] the same message number on another channel is another delivery', async () => {
    const [one, other] = [await open(), await open()];
    for (const sender of [one, other]) {
      expect((await notify(sender.headers({ 'x-goog-message-number': '7' }))).json).toHaveProperty('connection_id');
    }
  });

  test.each([undefined, '', 'seven', '-1', '1'.repeat(40)])(
    '[W-4] without a number that can be told apart (%p) nothing is a duplicate',
    async (number) => {
      const sender = await open();
      const headers = sender.headers({ 'x-goog-message-number': number });
      await notify(headers);
      expect((await notify(headers)).json).toHaveProperty('connection_id');
      expect((await rowOf(sender)).deliveries).toBe(2);
    },
  );

  test('[W-5] a hundred identical deliveries at once: a hundred times 200, one request for a sync', async () => {
    const sender = await open();
    const headers = sender.headers();
    const answers = await Promise.all(Array.from({ length: 100 }, () => notify(headers)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(100);
    expect(answers.filter(({ json }) => json.reason === 'duplicate')).toHaveLength(99);
    expect(await rowOf(sender)).toMatchObject({ requested: 2, deliveries: 1 });
    // The answer does not wait for the ring.
    await waitUntil('the ring', async () => {
      const jobs = await ingress.queues.queue('calendar-inbound-sync').getJobs(['waiting', 'wait', 'prioritized']);
      return jobs.filter(({ data }) => data.connection_id === sender.connection.id).length === 1;
    });
  });

  test('[W-5] ten different ones at once are all recorded', async () => {
    const sender = await open();
    const answers = await Promise.all(Array.from({ length: 10 }, () => notify(sender.headers())));
    expect(answers.filter(({ json }) => json.connection_id === sender.connection.id)).toHaveLength(10);
    // However many of them one statement took in, the connection is marked.
    const row = await rowOf(sender);
    expect([row.deliveries, row.sync_needed]).toEqual([10, true]);
    expect(row.requested).toBeGreaterThanOrEqual(2);
  });

  test('[W-4] two processes of ingress agree on which delivery is the first', async () => {
    const sender = await open();
    const second = await startIngress({ shares: ingress.database });
    const ask = { headers: sender.headers() };
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, turn) => (turn % 2 === 0 ? ingress : second).send('POST', GOOGLE, ask)),
    );
    await second.close();
    expect(answers.filter(({ json }) => json.connection_id !== undefined)).toHaveLength(1);
    expect((await rowOf(sender)).requested).toBe(2);
  });

  test('[W-4] the keys are bounded: after upkeep the last hundred are still known, older ones are not', async () => {
    const sender = await open();
    const all = Array.from({ length: 130 }, () => sender.headers());
    for (const headers of all) await notify(headers);
    await pruneDeliveries(ingress.database.db, { seconds: 604_800, atLeast: 100, atMost: 100 });
    expect((await rowOf(sender)).deliveries).toBe(100);
    expect((await notify(all[30] as never)).json.reason).toBe('duplicate');
    expect((await notify(all[129] as never)).json.reason).toBe('duplicate');
    expect((await notify(all[29] as never)).json.reason).toBeUndefined();
  });
});

describe('google: what is refused', () => {
  test('[W-6] a body that is not JSON is 400', async () => {
    const sender = await open();
    await expectRefusal(400, 'invalid_json', sender.headers(), '{"half":');
    await expectRefusal(400, 'invalid_json', {}, 'not json');
  });

  test.each<[string, Record<string, string>]>([
    ['no header at all', {}],
    ['an empty channel id', { 'x-goog-channel-id': '' }],
  ])('[W-6] %s names no connection: 400', (_, headers) => expectRefusal(400, 'no_identifier', headers));

  test('[W-2] a token is needed, and it is the one of this very channel', async () => {
    const [sender, other] = [await open(), await open()];
    const tokens = [
      undefined,
      '',
      'wrong',
      other.secret,
      sender.channelId,
      sender.secret.slice(0, -1),
      `${sender.secret}A`,
      sender.secret.toUpperCase(),
      channelSecret('microsoft', sender.channelId, CHANNEL_SECRETS),
      channelSecret('microsoft', sender.channelId, CHANNEL_SECRETS).split('.')[1],
    ];
    for (const token of tokens) {
      await expectRefusal(401, 'not_authentic', sender.headers({ 'x-goog-channel-token': token }));
    }
  });

  test('[W-2] a token with any one letter changed proves nothing, also where the decoded bytes are the same', async () => {
    const sender = await open();
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (const at of [0, 20, sender.secret.length - 1]) {
      for (const letter of letters) {
        if (letter === sender.secret[at]) continue;
        const token = sender.secret.slice(0, at) + letter + sender.secret.slice(at + 1);
        expect((await notify(sender.headers({ 'x-goog-channel-token': token }))).status).toBe(401);
      }
    }
    expect((await rowOf(sender)).requested).toBe(1);
  });

  test('[W-2] the resource of another channel is not authentic', async () => {
    const [sender, other] = [await open(), await open()];
    await expectRefusal(401, 'not_authentic', sender.headers({ 'x-goog-resource-id': other.resourceId }));
  });

  test('[W-2] a notification that names no resource is not authentic: Google always names it', async () => {
    await expectRefusal(401, 'not_authentic', (await open()).headers({ 'x-goog-resource-id': '' }));
  });

  test.each(["'; DROP TABLE deliveries; --", 'x'.repeat(65), 'caf\u00e9'])(
    '[W-2] a channel id that nobody here could have issued is not authentic: %s',
    async (id) => {
      await expectRefusal(401, 'not_authentic', (await open()).headers({ 'x-goog-channel-id': id }));
    },
  );

  test('[W-2] a channel that was never issued is not authentic, whatever its token', async () => {
    const { connection } = await open();
    const id = createChannelId(connection.id);
    const invented = describeSender(connection, id, channelSecret('google', id, CHANNEL_SECRETS));
    await expectRefusal(401, 'not_authentic', invented.headers());
    await expectRefusal(401, 'not_authentic', invented.headers({ 'x-goog-resource-state': 'sync' }));
  });

  test('[W-2] a Microsoft channel is none of Google’s', async () => {
    const sender = await openSender(ingress.database, 'microsoft');
    await expectRefusal(401, 'not_authentic', sender.headers());
  });

  test('[W-6] a connection that is gone is 404', async () => {
    const connection = { id: randomUUID(), providerId: randomUUID(), calendarProvider: 'google' as const };
    const id = createChannelId(connection.id);
    const gone = describeSender(connection, id, channelSecret('google', id, CHANNEL_SECRETS));
    await expectRefusal(404, 'unknown_connection', gone.headers());
    await expectRefusal(404, 'unknown_connection', gone.headers({ 'x-goog-resource-state': 'sync' }));
  });

  test('[W-6] without signing secrets the JSON form proves nothing', async () => {
    const { id } = await insertConnection(ingress.database.sql);
    await expectRefusal(401, 'not_authentic', {}, JSON.stringify({ connection_id: id, id: 'x' }));
  });

  test('[W-6] SQL and script in each header have no effect', async () => {
    const names = ['x-goog-channel-id', 'x-goog-channel-token', 'x-goog-resource-id'];
    for (const name of names) {
      for (const text of [
        "'; DROP TABLE deliveries; --",
        '<script>alert(1)</script>',
        '$' + '{jndi:ldap://x}',
        '%00%0d%0a',
      ]) {
        const sender = await open();
        const before = await ingress.snapshot();
        const answer = await notify(sender.headers({ [name]: text }));
        expect([400, 401]).toContain(answer.status);
        expect(answer.text).not.toContain(text);
        expect(await ingress.snapshot()).toBe(before);
      }
    }
    for (const name of ['x-goog-resource-state', 'x-goog-message-number', 'x-goog-channel-expiration']) {
      const sender = await open();
      const answer = await notify(sender.headers({ [name]: "'; DELETE FROM deliveries; --<script>" }));
      expect([answer.status, answer.text.includes('script')]).toEqual([200, false]);
      expect((await rowOf(sender)).deliveries).toBe(1);
    }
  });

  test('[W-6] a header that comes twice is nobody’s guess', async () => {
    const sender = await open();
    const answer = await ingress.send('POST', GOOGLE, {
      headers: { ...sender.headers(), 'x-goog-channel-token': [sender.secret, sender.secret] },
    });
    expect(answer.status).toBe(401);
  });
});

test('[W-6][B-1] every request is counted once under what became of it, and every refusal logged without a secret', async () => {
  const fresh = await startIngress({ shares: ingress.database });
  const send = (headers: Record<string, string>, body?: string) =>
    fresh.send('POST', GOOGLE, { headers, ...(body === undefined ? {} : { body }) });
  const sender = await open();
  const headers = sender.headers();
  for (const one of [headers, headers, sender.headers({ 'x-goog-resource-state': 'sync' })]) await send(one);
  await send(sender.headers({ 'x-goog-channel-token': 'a-forged-token' }));
  await send({});
  await send(headers, '{');
  await send(headers, 'x'.repeat(300_000));
  expect(await fresh.outcomes('google')).toEqual({
    accepted: 1,
    duplicate: 1,
    handshake: 1,
    not_authentic: 1,
    no_identifier: 1,
    unreadable: 1,
    too_large: 1,
  });
  const refusals = fresh.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'notification rejected');
  expect(refusals.map(({ reason, status }) => `${status} ${reason}`)).toEqual([
    '401 not_authentic',
    '400 no_identifier',
    '400 invalid_json',
    '413 body_too_large',
  ]);
  expect(refusals.every(({ request_id, calendar_provider }) => request_id && calendar_provider === 'google')).toBe(
    true,
  );
  for (const secret of [sender.secret, sender.resourceId, 'a-forged-token']) {
    expect(fresh.lines.join('')).not.toContain(secret);
  }
  await fresh.close();
});
