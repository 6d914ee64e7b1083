import { randomUUID } from 'node:crypto';
import { insertConnection } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startIngress, type TestIngress } from './ingress-harness.ts';
import { collection, GOOGLE, MICROSOFT, openSender, readRow, signed } from './senders.ts';

const NEW = 'the relay secret in use';
const OLD = 'the relay secret before';

describe.each([
  ['google', GOOGLE, 'x-goog-signature'],
  ['microsoft', MICROSOFT, 'x-microsoft-graph-signature'],
] as const)('signed bodies from a relay: %s', (calendarProvider, path, header) => {
  let ingress: TestIngress;
  beforeAll(async () => {
    ingress = await startIngress({ signingSecrets: { [calendarProvider]: [NEW, OLD] } });
  });
  afterAll(() => ingress.close());

  const connect = () => insertConnection(ingress.database.sql, { calendarProvider });
  const send = (body: string, headers: Record<string, string> = {}) => ingress.send('POST', path, { headers, body });
  const sendSigned = (body: string, secret = NEW) => ingress.send('POST', path, signed(calendarProvider, body, secret));
  const rowOf = (id: string) => readRow(ingress.database, id);
  const accepted = (id: string) =>
    calendarProvider === 'google'
      ? { processed: true, connection_id: id }
      : { processed: true, accepted: 1, duplicates: 0, rejected: 0 };

  async function expectRefusal(status: number, code: string, ask: () => ReturnType<typeof send>) {
    const before = await ingress.snapshot();
    const answer = await ask();
    expect([answer.status, answer.json?.error?.code]).toEqual([status, code]);
    expect(await ingress.snapshot()).toBe(before);
  }

  test('[W-3] a valid signature over the JSON form is enough', async () => {
    const { id } = await connect();
    const answer = await sendSigned(JSON.stringify({ connection_id: id, id: 'delivery-1' }));
    expect([answer.status, answer.json]).toEqual([200, accepted(id)]);
    expect(await rowOf(id)).toMatchObject({ requested: 2, sync_needed: true, deliveries: 1 });
  });

  test('[W-3] rotation: the secret before is still taken, one that was removed is not', async () => {
    const { id } = await connect();
    expect((await sendSigned(JSON.stringify({ connection_id: id, id: '1' }), OLD)).status).toBe(200);
    const body = JSON.stringify({ connection_id: id, id: '2' });
    await expectRefusal(401, 'not_authentic', () => sendSigned(body, 'a secret that was removed'));
  });

  test.each([
    ['channel.resourceId', (id: string) => ({ channel: { id: 'k', resourceId: id } })],
    ['resourceId', (id: string) => ({ resourceId: id, id: 'k' })],
    ['connection_id in capitals', (id: string) => ({ connection_id: id.toUpperCase(), id: 'k' })],
  ])('[W-3] the connection is read from %s too', async (_, write) => {
    const { id } = await connect();
    expect((await sendSigned(JSON.stringify(write(id)))).status).toBe(200);
    expect((await rowOf(id)).requested).toBe(2);
  });

  test('[W-4] the delivery key comes from id, else from channel.id, and is kept per connection', async () => {
    const [one, other] = [await connect(), await connect()];
    for (const key of [{ id: 'k' }, { channel: { id: 'c' } }]) {
      for (const { id } of [one, other]) {
        const body = JSON.stringify({ connection_id: id, ...key });
        expect((await sendSigned(body)).json.reason).toBeUndefined();
        expect((await sendSigned(body)).json.reason).toBe('duplicate');
      }
    }
    expect(await rowOf(one.id)).toMatchObject({ deliveries: 2 });
  });

  test.each<[string, unknown]>([
    ['a number', 17],
    ['longer than anybody would write', 'k'.repeat(4_000)],
  ])('[W-4] a delivery key may be %s', async (_, key) => {
    const { id } = await connect();
    const body = JSON.stringify({ connection_id: id, id: key });
    expect((await sendSigned(body)).json.reason).toBeUndefined();
    expect((await sendSigned(body)).json.reason).toBe('duplicate');
    const other = JSON.stringify({ connection_id: id, id: `${key}8` });
    expect((await sendSigned(other)).json.reason).toBeUndefined();
  });

  test('[W-4] without a key nothing is a duplicate', async () => {
    const { id } = await connect();
    const body = JSON.stringify({ connection_id: id });
    for (const _ of [1, 2]) expect((await sendSigned(body)).json.reason).toBeUndefined();
    expect((await rowOf(id)).deliveries).toBe(2);
  });

  test('[W-3] the signature is over the very bytes', async () => {
    const { id } = await connect();
    const body = JSON.stringify({ connection_id: id, id: 'k' });
    const { headers } = signed(calendarProvider, body, NEW);
    await expectRefusal(401, 'not_authentic', () => send(`${body} `, headers));
    await expectRefusal(401, 'not_authentic', () => send(body.replace('"k"', '"K"'), headers));
  });

  test('[W-3] missing, half, doubled, differently written signatures are refused', async () => {
    const { id } = await connect();
    const body = JSON.stringify({ connection_id: id, id: 'k' });
    const right = signed(calendarProvider, body, NEW).headers[header] ?? '';
    const wrong = [
      '',
      right.slice(0, 32),
      `${right}00`,
      `sha256=${right}`,
      Buffer.from(right, 'hex').toString('base64'),
    ];
    wrong.push(
      right.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
      'z'.repeat(64),
      `${right}, ${right}`,
    );
    await expectRefusal(401, 'not_authentic', () => send(body));
    for (const signature of wrong) await expectRefusal(401, 'not_authentic', () => send(body, { [header]: signature }));
    const elsewhere = header === 'x-goog-signature' ? 'x-microsoft-graph-signature' : 'x-goog-signature';
    await expectRefusal(401, 'not_authentic', () => send(body, { [elsewhere]: right }));
    expect((await send(body, { [header]: right.toUpperCase() })).status).toBe(200);
  });

  test('[W-3][W-6] the order of the checks: unreadable, no identifier, signature, unknown connection', async () => {
    await expectRefusal(400, 'invalid_json', () => send('{'));
    await expectRefusal(400, 'invalid_json', () => sendSigned('{'));
    await expectRefusal(400, 'no_identifier', () => send(''));
    await expectRefusal(400, 'no_identifier', () => sendSigned('{"id":"k"}'));
    const nobody = JSON.stringify({ connection_id: randomUUID(), id: 'k' });
    await expectRefusal(401, 'not_authentic', () => send(nobody));
    await expectRefusal(404, 'unknown_connection', () => sendSigned(nobody));
    for (const id of ["'; DROP TABLE deliveries; --", '<script>', '00000000-0000-0000-0000-00000000000g', '\u0000']) {
      await expectRefusal(404, 'unknown_connection', () => sendSigned(JSON.stringify({ connection_id: id, id: 'k' })));
    }
  });

  test('[W-6] what is no text in the JSON form counts as not being there', async () => {
    for (const id of [7, null, {}, ['x'], '', 'a'.repeat(600)]) {
      await expectRefusal(400, 'no_identifier', () => sendSigned(JSON.stringify({ connection_id: id, id: 'k' })));
    }
  });

  test('[F-2] a connection that is not on the list is 403, also when its id is none at all', async () => {
    const [listed, other] = [await connect(), await connect()];
    const narrowed = await startIngress({
      shares: ingress.database,
      signingSecrets: { [calendarProvider]: [NEW] },
      flags: { CALENDAR_ALLOWLIST_CONNECTION_IDS: listed.id },
    });
    const ask = async (id: string) =>
      (await narrowed.send('POST', path, signed(calendarProvider, JSON.stringify({ connection_id: id }), NEW))).status;
    expect([await ask(listed.id), await ask(other.id), await ask('none at all')]).toEqual([200, 403, 403]);
    await narrowed.close();
  });

  test('[W-3] native notifications need the signature as well, and it does not replace their own proof', async () => {
    const sender = await openSender(ingress.database, calendarProvider);
    const other = await openSender(ingress.database, calendarProvider);
    const native = (forged: boolean) => {
      if (calendarProvider === 'google') {
        const headers = sender.headers(forged ? { 'x-goog-channel-token': other.secret } : {});
        return { headers, body: '' };
      }
      return collection(sender.item(forged ? { clientState: other.secret } : {}));
    };
    const ask = (forged: boolean, secret: string | null) => {
      const { headers, body } = native(forged);
      const ours = secret === null ? { headers, body } : signed(calendarProvider, body, secret, headers);
      return ingress.send('POST', path, ours);
    };
    await expectRefusal(401, 'not_authentic', () => ask(false, null));
    await expectRefusal(401, 'not_authentic', () => ask(false, 'wrong'));
    await expectRefusal(401, 'not_authentic', () => ask(true, NEW));
    expect((await ask(false, NEW)).status).toBe(200);
    expect((await ask(false, OLD)).status).toBe(200);
    expect((await rowOf(sender.connection.id)).deliveries).toBe(2);
  });

  test('[W-3] the other calendar provider, whose secret is not set, goes on without', async () => {
    const elsewhere = calendarProvider === 'google' ? 'microsoft' : 'google';
    const sender = await openSender(ingress.database, elsewhere);
    const answer =
      elsewhere === 'google'
        ? await ingress.send('POST', GOOGLE, { headers: sender.headers() })
        : await ingress.send('POST', MICROSOFT, collection(sender.item()));
    expect(answer.status).toBe(200);
  });

  test('[W-6] nothing of a signature or a secret is logged', () => {
    const logged = ingress.lines.join('');
    expect(logged).toContain('not_authentic');
    for (const secret of [NEW, OLD]) expect(logged).not.toContain(secret);
    expect(logged).not.toMatch(/[0-9a-f]{64}/);
  });
});
