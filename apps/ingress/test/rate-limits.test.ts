/** Too many questions, and too many wrong ones: who is slowed down, and who never is. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRateLimits } from '../src/rate-limits.ts';
import { API_TOKEN, startIngress, type TestIngress } from './ingress-harness.ts';
import { GOOGLE, openSender, type Sender } from './senders.ts';

const REQUESTS = 5;
const REFUSALS = 4;
const LIST = '/api/calendar/connections?provider_id=11111111-1111-4111-8111-111111111111';
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

let ingress: TestIngress;
let sender: Sender;
beforeAll(async () => {
  ingress = await startIngress({ rateLimits: createRateLimits(REQUESTS, REFUSALS) });
  sender = await openSender(ingress.database, 'google');
});
afterAll(() => ingress.close());

const times = async (count: number, ask: () => Promise<{ status: number }>) => {
  const statuses: number[] = [];
  for (let index = 0; index < count; index += 1) statuses.push((await ask()).status);
  return statuses;
};

describe('rate limits', () => {
  test('[W-6] who guesses tokens is told to wait, and whoever holds one at the same address is not', async () => {
    const guess = () => ingress.send('GET', LIST, bearer('a-token-that-is-wrong'));
    expect(await times(REFUSALS + 2, guess)).toEqual([...Array(REFUSALS).fill(401), 429, 429]);
    expect((await guess()).headers['retry-after']).toMatch(/^([1-9]|[1-5]\d|60)$/);
    expect((await ingress.send('GET', LIST, bearer('another-api-token'))).status).toBe(200);
  });

  test('[W-6] connect links are guessed no faster, and by the same count', async () => {
    const guess = () => ingress.send('GET', '/api/auth/google/calendar?token=wrong.wrong');
    expect((await guess()).status).toBe(429);
  });

  test('[W-6] one token that asks too often waits; another one does not', async () => {
    const ask = () => ingress.send('GET', LIST, bearer(API_TOKEN));
    expect(await times(REQUESTS + 2, ask)).toEqual([...Array(REQUESTS).fill(200), 429, 429]);
    const waiting = await ask();
    expect([waiting.json.error.code, Number(waiting.headers['retry-after']) > 0]).toEqual(['too_many_requests', true]);
    expect((await ingress.send('GET', LIST, bearer('another-api-token'))).status).toBe(200);
  });

  test('[W-2] notifications are never turned away, however many were forged before', async () => {
    const forged = () =>
      ingress.send('POST', GOOGLE, { headers: sender.headers({ 'x-goog-channel-token': 'forged' }) });
    expect(new Set(await times(3 * REFUSALS, forged))).toEqual(new Set([401]));
    const honest = () => ingress.send('POST', GOOGLE, { headers: sender.headers() });
    expect(new Set(await times(3 * REQUESTS, honest))).toEqual(new Set([200]));
  });
});
