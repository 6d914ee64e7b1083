/** The booking service's way in over HTTP. */
import { randomUUID } from 'node:crypto';
import { createTestDatabase, insertConnection, startRelay, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { API_TOKEN, startIngress, type TestIngress } from './ingress-harness.ts';

const PATH = '/api/calendar/booking-events';

let database: TestDatabase;
let ingress: TestIngress;
beforeAll(async () => {
  database = await createTestDatabase();
  // Nobody listens there: whatever is answered below does not rest on the queue.
  ingress = await startIngress({ shares: database, redisUrl: 'redis://127.0.0.1:9' });
});
afterAll(async () => {
  await ingress?.close();
  await database?.drop();
});
beforeEach(async () => {
  await database.sql`TRUNCATE booking_intents CASCADE`;
});

const booking = { start: '2026-11-24T09:00:00Z', end: '2026-11-24T10:00:00Z', time_zone: 'UTC', title: 'Haircut' };
function event(over: Record<string, unknown> = {}) {
  return {
    schema: 1,
    event_id: randomUUID(),
    type: 'booking.created',
    booking_id: randomUUID(),
    provider_id: randomUUID(),
    version: 1,
    occurred_at: '2026-11-20T10:00:00Z',
    booking,
    ...over,
  };
}
const post = (body: unknown) => ingress.call('POST', PATH, body);
const intents = () => database.sql`SELECT booking_id, version::int, state FROM booking_intents`;

describe('[O-1] a booking event over HTTP', () => {
  test('is on disk, and due in its connections, when the answer comes, although the queue is away', async () => {
    const connection = await insertConnection(database.sql);
    const sent = event({ provider_id: connection.providerId });
    expect(await post(sent)).toMatchObject({ status: 202, json: { accepted: true } });
    expect(await intents()).toEqual([{ booking_id: sent.booking_id, version: 1, state: 'live' }]);
    const effects = await database.sql`SELECT connection_id FROM booking_effects WHERE applied_version < version`;
    expect(effects).toEqual([{ connection_id: connection.id }]);
  });

  test('[O-3] that comes again, or late, is superseded and changes nothing', async () => {
    const newest = event({ version: 3, type: 'booking.updated' });
    await post(newest);
    const before = await ingress.snapshot();
    for (const late of [newest, { ...newest, version: 2 }, { ...newest, version: 1, type: 'booking.cancelled' }]) {
      expect(await post(late)).toMatchObject({ status: 200, json: { accepted: false, reason: 'superseded' } });
    }
    expect(await ingress.snapshot()).toBe(before);
  });

  test('[O-3] twenty times at once is accepted once; of twenty versions at once the highest stays', async () => {
    const sent = event();
    const same = await Promise.all(Array.from({ length: 20 }, () => post(sent)));
    expect(same.map(({ status }) => status).sort()).toEqual([...Array(19).fill(200), 202]);
    const versions = Array.from({ length: 20 }, (_, index) => ({ ...sent, version: index + 2 }));
    const answers = await Promise.all(versions.map(post));
    expect(answers.every(({ status }) => status === 200 || status === 202)).toBe(true);
    expect(await intents()).toMatchObject([{ version: 21 }]);
  });

  test('[W-6] that is invalid is refused with the fields at fault, repeats nothing of it, and leaves nothing', async () => {
    const before = await ingress.snapshot();
    const bad = {
      ...event(),
      version: 0,
      booking: { ...booking, end: booking.start, attendee: { email: 'secret-word' } },
    };
    const answer = await post(bad);
    expect(answer.status).toBe(422);
    expect(answer.json.error.fields.map(({ field }: { field: string }) => field).sort()).toEqual([
      'booking.attendee.email',
      'booking.end',
      'version',
    ]);
    expect(answer.text).not.toContain('secret-word');
    for (const body of [[], null, 'text', event({ booking: { ...booking, title: 'NUL \u0000' } })]) {
      expect((await post(body)).status).toBeGreaterThanOrEqual(400);
      expect((await post(body)).status).toBeLessThan(500);
    }
    expect(await ingress.snapshot()).toBe(before);
  });

  test('[W-6] needs a token, JSON, and a size that can be read', async () => {
    const body = JSON.stringify(event());
    const authorization = `Bearer ${API_TOKEN}`;
    const json = { 'content-type': 'application/json' };
    const send = (headers: Record<string, string>, text = body) => ingress.send('POST', PATH, { headers, body: text });
    expect((await send(json)).status).toBe(401);
    expect((await send({ ...json, authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await send({ ...json, authorization }, '{"schema":')).status).toBe(400);
    expect((await send({ ...json, authorization }, JSON.stringify({ notes: 'x'.repeat(300_000) }))).status).toBe(413);
    expect((await ingress.send('GET', PATH, { headers: { authorization } })).status).toBe(405);
    expect(await intents()).toEqual([]);
  });

  test.each([{}, { 'content-type': 'text/plain;charset=UTF-8' }])(
    'is JSON whatever its type says: %j',
    async (type) => {
      const headers: Record<string, string> = { ...type, authorization: `Bearer ${API_TOKEN}` };
      const body = JSON.stringify(event({ booking_id: randomUUID() }));
      expect((await ingress.send('POST', PATH, { headers, body })).status).toBe(202);
    },
  );

  test.each(['null', '7', '"text"', '[]'])(
    '[W-6] that is JSON but no event is 422 with the body at fault: %s',
    async (body) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${API_TOKEN}` };
      const answer = await ingress.send('POST', PATH, { headers, body });
      expect([answer.status, answer.json.error.code]).toEqual([422, 'invalid_booking_event']);
    },
  );

  test('[R-2] is answered 503 while the database is away, so that it is sent again', async () => {
    const { port } = new URL(database.url);
    const relay = await startRelay(Number(port));
    const route = (url: string) => url.replace(`:${port}/`, `:${relay.port}/`);
    const behind = await startIngress({ shares: database, route, redisUrl: 'redis://127.0.0.1:9' });
    const sent = event();
    relay.cut();
    expect(await behind.call('POST', PATH, sent)).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    relay.restore();
    expect(await behind.call('POST', PATH, sent)).toMatchObject({ status: 202 });
    await behind.close();
    await relay.close();
    expect(await intents()).toHaveLength(1);
  });
});
