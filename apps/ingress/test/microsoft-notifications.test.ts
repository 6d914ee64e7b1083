import { randomUUID } from 'node:crypto';
import { channelSecret, createChannelId } from '@bookiji/sync';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CHANNEL_SECRETS, startIngress, type TestIngress } from './ingress-harness.ts';
import { collection, describeSender, MICROSOFT, openSender, readRow, type Sender } from './senders.ts';

let ingress: TestIngress;
beforeAll(async () => {
  ingress = await startIngress();
});
afterAll(() => ingress.close());

const open = (over: Parameters<typeof openSender>[2] = {}) => openSender(ingress.database, 'microsoft', over);
const post = (...items: readonly unknown[]) => ingress.send('POST', MICROSOFT, collection(...items));
const rowOf = (sender: Sender) => readRow(ingress.database, sender.connection.id);

async function expectUnchanged(status: number, work: () => Promise<{ status: number }>) {
  const before = await ingress.snapshot();
  const answer = await work();
  expect(answer.status).toBe(status);
  expect(await ingress.snapshot()).toBe(before);
  return answer;
}

describe('microsoft: the handshake', () => {
  test.each([
    ['plain', 'validationToken=abc123', 'abc123'],
    [
      'with spaces and colons, as Graph sends it',
      'validationToken=Validation%3A+Testing+client',
      'Validation: Testing client',
    ],
    ['beside our own query', 'connection=x&validationToken=t%2Bt%26t', 't+t&t'],
    ['behind our own query as if there were none', 'connection=x?validationToken=t%2Bt', 't+t'],
    ['that looks like a page', 'validationToken=%3Cscript%3Ealert(1)%3C%2Fscript%3E', '<script>alert(1)</script>'],
    ['in other letters', `validationToken=${encodeURIComponent('żółć 時刻')}`, 'żółć 時刻'],
  ])('[W-2] the validation token %s comes back decoded, as plain text', async (_, query, token) => {
    const answer = await ingress.send('POST', `${MICROSOFT}?${query}`, { headers: { 'content-type': 'text/plain' } });
    expect([answer.status, answer.text]).toEqual([200, token]);
    // Never as something that a browser would run.
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  });

  test('[W-2] it needs nothing but the flag: no body, no secret, no row', async () => {
    await expectUnchanged(200, () => ingress.send('POST', `${MICROSOFT}?validationToken=x`));
    const off = await startIngress({ shares: ingress.database, flags: { CALENDAR_WEBHOOK_ENABLED: 'false' } });
    expect((await off.send('POST', `${MICROSOFT}?validationToken=x`)).status).toBe(403);
    await off.close();
  });

  test('[W-2] an empty token is none', async () => {
    await expectUnchanged(400, () => ingress.send('POST', `${MICROSOFT}?validationToken=`));
  });
});

describe('microsoft: items', () => {
  test('[W-1][W-5] a change is recorded and marks its connection before it is answered', async () => {
    const sender = await open();
    const answer = await post(sender.item());
    expect([answer.status, answer.json]).toEqual([200, { processed: true, accepted: 1, duplicates: 0, rejected: 0 }]);
    expect(await rowOf(sender)).toMatchObject({ requested: 2, sync_needed: true, deliveries: 1 });
  });

  test('[W-2] a clientState under the secret before the newest still proves; one under a removed secret does not', async () => {
    const older = await open({ secrets: CHANNEL_SECRETS.slice(1) });
    expect((await post(older.item())).status).toBe(200);
    const forgotten = await open({ secrets: ['a secret that was removed'] });
    await expectUnchanged(401, () => post(forgotten.item()));
  });

  test('[W-2] each clientState proves its own item alone', async () => {
    const [sender, other] = [await open(), await open()];
    const google = await openSender(ingress.database, 'google');
    const forgeries: unknown[] = [
      undefined,
      null,
      '',
      7,
      ['x'],
      'wrong',
      sender.channelId,
      `${sender.channelId}.`,
      sender.secret.slice(0, -1),
      `${sender.secret}A`,
      `${sender.channelId}.${channelSecret('google', sender.channelId, CHANNEL_SECRETS)}`,
      `${other.channelId}.${sender.secret.split('.')[1]}`,
      `${google.channelId}.${google.secret}`,
    ];
    for (const clientState of forgeries) await expectUnchanged(401, () => post(sender.item({ clientState })));
  });

  test("[W-2] another channel's subscription is a forgery, whichever of the two proves itself", async () => {
    const [sender, other] = [await open(), await open()];
    await expectUnchanged(401, () => post(sender.item({ subscriptionId: other.subscriptionId })));
  });

  test('[W-2] genuine, about a subscription nobody knows: 202, since Graph would repeat a refusal for hours', async () => {
    const sender = await open();
    const unknown = await expectUnchanged(202, () => post(sender.item({ subscriptionId: randomUUID() })));
    expect(unknown).toMatchObject({ json: { processed: true, accepted: 0, duplicates: 0, rejected: 1 } });
    const connection = { id: randomUUID(), providerId: randomUUID(), calendarProvider: 'microsoft' as const };
    const id = createChannelId(connection.id);
    const gone = describeSender(connection, id, channelSecret('microsoft', id, CHANNEL_SECRETS));
    await expectUnchanged(202, () => post(gone.item()));
    const never = createChannelId(sender.connection.id);
    const invented = describeSender(sender.connection, never, channelSecret('microsoft', never, CHANNEL_SECRETS));
    await expectUnchanged(202, () => post(invented.item()));
  });

  test('[W-2] a change that comes before the answer to its subscription is recorded', async () => {
    const sender = await open({ state: 'registering' });
    await ingress.database.sql`UPDATE channels SET subscription_id = NULL WHERE id = ${sender.channelId}`;
    expect((await post(sender.item())).json.accepted).toBe(1);
  });

  test('[W-2] a retired channel may go on delivering: 202, and nothing changes', async () => {
    const sender = await open({ state: 'retired' });
    await expectUnchanged(202, () => post(sender.item()));
  });

  test('[W-6] in a mixed batch each item stands for itself', async () => {
    const [one, other] = [await open(), await open()];
    const gone = await open();
    await ingress.database.sql`DELETE FROM external_calendar_connections WHERE id = ${gone.connection.id}`;
    const repeated = one.item();
    const answer = await post(
      repeated,
      other.item({ clientState: 'forged' }),
      'not even an object',
      null,
      repeated,
      gone.item(),
      other.item(),
    );
    expect([answer.status, answer.json]).toEqual([200, { processed: true, accepted: 2, duplicates: 1, rejected: 4 }]);
    expect([await rowOf(one), await rowOf(other)]).toMatchObject([{ deliveries: 1 }, { deliveries: 1 }]);
  });

  test('[W-6] forged and unknown together: 202, as Graph is told of what is not wanted', async () => {
    const sender = await open();
    await expectUnchanged(202, () =>
      post(sender.item({ clientState: 'forged' }), sender.item({ subscriptionId: randomUUID() })),
    );
  });
});

describe('microsoft: repeats', () => {
  test('[W-4] the same item again is a duplicate, and says so when nothing was new', async () => {
    const sender = await open();
    const item = sender.item();
    await post(item);
    const again = await post(item);
    expect([again.status, again.json]).toEqual([
      200,
      { processed: true, accepted: 0, duplicates: 1, rejected: 0, reason: 'duplicate' },
    ]);
    expect((await post(item, sender.item())).json).toEqual({
      processed: true,
      accepted: 1,
      duplicates: 1,
      rejected: 0,
    });
    expect(await rowOf(sender)).toMatchObject({ deliveries: 2 });
  });

  test('[W-4] items without an id are told apart by all they say, in whatever order', async () => {
    const sender = await open();
    const item = sender.item({ id: undefined });
    const turned = Object.fromEntries(Object.entries(item).reverse());
    expect((await post(item)).json.accepted).toBe(1);
    expect((await post(turned)).json).toMatchObject({ accepted: 0, duplicates: 1 });
    expect((await post({ ...item, changeType: 'deleted' })).json.accepted).toBe(1);
  });

  test('[W-5] a hundred identical deliveries at once: a hundred times 200, one request for a sync', async () => {
    const sender = await open();
    const item = sender.item();
    const answers = await Promise.all(Array.from({ length: 100 }, () => post(item)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(100);
    expect(answers.filter(({ json }) => json.accepted === 1)).toHaveLength(1);
    expect(await rowOf(sender)).toMatchObject({ requested: 2, deliveries: 1 });
  });

  test('[W-5] ten different ones at once are all recorded', async () => {
    const sender = await open();
    await Promise.all(Array.from({ length: 10 }, () => post(sender.item())));
    expect((await rowOf(sender)).deliveries).toBe(10);
  });
});

describe('microsoft: lifecycle', () => {
  const lifecycle = (sender: Sender, lifecycleEvent: string) =>
    sender.item({ lifecycleEvent, changeType: undefined, resourceData: undefined });
  const channelOf = async (sender: Sender) => {
    const [row] = await ingress.database.sql`
      SELECT state, expires_at <= now() AS ending FROM channels WHERE id = ${sender.channelId}`;
    return row as { state: string; ending: boolean | null };
  };
  const rungTasks = async (sender: Sender) => {
    const jobs = await ingress.queues.queue('calendar-retry').getJobs(['waiting', 'wait', 'prioritized']);
    return jobs.filter(({ data }) => data.connection_id === sender.connection.id).map(({ data }) => data.task);
  };

  test('[W-2] reauthorizationRequired: the channel is to be renewed now, and what was missed is looked for', async () => {
    const sender = await open();
    expect((await post(lifecycle(sender, 'reauthorizationRequired'))).status).toBe(200);
    expect(await channelOf(sender)).toEqual({ state: 'active', ending: true });
    expect(await rungTasks(sender)).toEqual(['keep_channel']);
    expect((await rowOf(sender)).requested).toBe(2);
  });

  test('[W-2] subscriptionRemoved: the channel is over, another one is asked for', async () => {
    const sender = await open();
    expect((await post(lifecycle(sender, 'subscriptionRemoved'))).status).toBe(200);
    expect((await channelOf(sender)).state).toBe('retired');
    expect(await rungTasks(sender)).toEqual(['keep_channel']);
  });

  test('[W-2] missed: look, without touching the channel', async () => {
    const sender = await open();
    expect((await post(lifecycle(sender, 'missed'))).status).toBe(200);
    expect((await channelOf(sender)).state).toBe('active');
    expect((await rowOf(sender)).requested).toBe(2);
  });

  test('[W-2] an event that Graph invents later means: look', async () => {
    const sender = await open();
    expect((await post(lifecycle(sender, 'somethingNew'))).json.accepted).toBe(1);
    expect((await channelOf(sender)).state).toBe('active');
  });

  test('[W-2] a forged one ends nothing', async () => {
    const [sender, other] = [await open(), await open()];
    for (const over of [{ clientState: 'forged' }, { subscriptionId: other.subscriptionId }]) {
      await expectUnchanged(401, () => post({ ...lifecycle(sender, 'subscriptionRemoved'), ...over }));
    }
  });
});

describe('microsoft: what is refused', () => {
  test.each<[string, string, number, string]>([
    ['half a document', '{"value":[', 400, 'invalid_json'],
    ['no JSON', 'value=1', 400, 'invalid_json'],
    ['nothing', '', 400, 'no_identifier'],
    ['null', 'null', 400, 'no_identifier'],
    ['a list', '[]', 400, 'no_identifier'],
    ['an object that names nobody', '{"a":1}', 400, 'no_identifier'],
    ['an empty collection', '{"value":[]}', 400, 'no_identifier'],
    ['a value that is no list', '{"value":"x"}', 400, 'no_identifier'],
    ['nesting without end', `{"value":[${'['.repeat(100_000)}${']'.repeat(100_000)}]}`, 400, 'invalid_json'],
    ['a hundred thousand items of nothing', `{"value":[${'1,'.repeat(100_000)}1]}`, 401, 'not_authentic'],
    ['a prototype', '{"__proto__":{"value":[{}]},"value":[{"__proto__":{"clientState":"x"}}]}', 401, 'not_authentic'],
  ])('[W-6] a body that is %s is refused', async (_, body, status, code) => {
    const before = await ingress.snapshot();
    const answer = await ingress.send('POST', MICROSOFT, { headers: { 'content-type': 'application/json' }, body });
    expect([answer.status, answer.json?.error?.code]).toEqual([status, code]);
    expect(await ingress.snapshot()).toBe(before);
  });

  test('[W-6] SQL and script in each member have no effect', async () => {
    const texts = ["'; DROP TABLE deliveries; --", '<script>alert(1)</script>', '\u0000', '\ud800', 'a'.repeat(5_000)];
    for (const text of texts) {
      for (const name of ['clientState', 'subscriptionId', 'id', 'resource', 'changeType', 'lifecycleEvent']) {
        const sender = await open();
        const answer = await post(sender.item({ [name]: text }));
        const expected = name === 'clientState' ? 401 : name === 'subscriptionId' ? 202 : 200;
        expect([name, text.slice(0, 9), answer.status]).toEqual([name, text.slice(0, 9), expected]);
        expect(answer.text).not.toContain('script');
      }
    }
  });

  test('[W-6][B-1] every item is counted once under what became of it', async () => {
    const fresh = await startIngress({ shares: ingress.database });
    const send = (...items: readonly unknown[]) => fresh.send('POST', MICROSOFT, collection(...items));
    const sender = await open();
    const item = sender.item();
    await send(item, item, sender.item({ clientState: 'forged-client-state' }));
    await send(sender.item({ clientState: null }), {}, 1);
    await send(sender.item({ subscriptionId: randomUUID() }));
    await fresh.send('POST', `${MICROSOFT}?validationToken=a-validation-token`);
    await fresh.send('POST', MICROSOFT, { body: '{' });
    expect(await fresh.outcomes('microsoft')).toEqual({
      accepted: 1,
      duplicate: 1,
      not_authentic: 4,
      unknown: 1,
      handshake: 1,
      unreadable: 1,
    });
    const relayed = await startIngress({ shares: ingress.database, signingSecrets: { microsoft: ['relay-secret'] } });
    await relayed.send('POST', MICROSOFT, collection(sender.item(), sender.item(), sender.item()));
    expect(await relayed.outcomes('microsoft')).toEqual({ not_authentic: 3 });
    await relayed.close();
    const logged = fresh.lines.join('');
    for (const secret of [sender.secret, sender.subscriptionId, 'forged-client-state', 'a-validation-token']) {
      expect(logged).not.toContain(secret);
    }
    expect(fresh.lines.filter((line) => JSON.parse(line).outcome === 'rejected')).toHaveLength(4);
    await fresh.close();
  });
});
