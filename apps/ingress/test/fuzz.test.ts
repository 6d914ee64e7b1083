import { createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandOf, localEnvironment, waitUntil } from '@bookiji/local-fleet';
import { findFreePort, type Supervisor, seededRandom, superviseProcesses } from '@bookiji/runtime';
import { createConnectClaims, signClaims } from '@bookiji/sync';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type HttpAnswer, sendBytes, sendRequest } from './http-client.ts';
import { CHANNEL_SECRETS } from './ingress-harness.ts';
import { type DamagedRequest, damage, type GenuineRequest } from './mutations.ts';
import { GOOGLE, MICROSOFT, openSender, type Sender } from './senders.ts';

const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 20_000);
const RAW_REQUESTS = REQUESTS / 20;
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_121);
const AT_ONCE = 32;
const PATIENCE = 5;
const RELAY_SECRET = 'the secret of the relay';
const API_TOKEN = 'the-token-of-the-booking-service';

/** The process itself, as it runs in production, and what it wrote. */
interface RunningIngress {
  readonly url: string;
  readonly port: number;
  readonly supervisor: Supervisor;
}

let database: TestDatabase;
let stateDir: string;
let plain: RunningIngress;
/** The same, with a relay in front of Google's route. */
let relayed: RunningIngress;
const lines: string[] = [];
/** How often each status was answered. */
const seen = new Map<number, number>();
let genuine: readonly { readonly at: RunningIngress; readonly make: () => GenuineRequest }[];

beforeAll(async () => {
  database = await createTestDatabase();
  stateDir = mkdtempSync(join(tmpdir(), 'calsync-fuzz-'));
  plain = await startIngressProcess({});
  relayed = await startIngressProcess({ GOOGLE_CALENDAR_WEBHOOK_SECRET: RELAY_SECRET });
  genuine = await listGenuine();
}, 180_000);

afterAll(async () => {
  await plain?.supervisor.stop();
  await relayed?.supervisor.stop();
  await database?.drop();
  rmSync(stateDir, { recursive: true, force: true });
});

async function startIngressProcess(over: Record<string, string>): Promise<RunningIngress> {
  const port = await findFreePort();
  const given = {
    ...process.env,
    DATABASE_URL: database.url,
    REDIS_URL: '',
    INGRESS_PORT: String(port),
    PUBLIC_BASE_URL: `http://127.0.0.1:${port}`,
    CHANNEL_SECRETS: CHANNEL_SECRETS.join(','),
    API_TOKENS: API_TOKEN,
    // Little room, so that what is not let go shows soon, and what could be is let go.
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --max-old-space-size=72 --max-semi-space-size=2`,
    ...over,
  };
  const env = localEnvironment(given, 'http://127.0.0.1:9', stateDir);
  const supervisor = superviseProcesses([{ role: 'ingress', ...commandOf('ingress'), env }], {
    onLine: (_role, line) => lines.push(line),
    onExit: (_role, { code, signal }) => lines.push(`ended: ${signal ?? code}`),
  });
  supervisor.start();
  const url = `http://127.0.0.1:${port}`;
  await waitUntil(
    'ingress',
    () =>
      fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    180_000,
  );
  return { url, port, supervisor };
}

async function listGenuine() {
  const [google, graph] = [await openSender(database, 'google'), await openSender(database, 'microsoft')];
  await database.sql`
    UPDATE external_calendar_connections SET last_synced_at = now(), sync_window_start = now() - interval '1 day',
           sync_window_end = now() + interval '90 days'`;
  const json = { 'content-type': 'application/json' };
  const api = { ...json, authorization: `Bearer ${API_TOKEN}` };
  const { providerId } = google.connection;
  const sign = (body: Buffer) => ({
    'x-goog-signature': createHmac('sha256', RELAY_SECRET).update(body).digest('hex'),
  });
  const slot = { start: '2026-11-24T09:00:00Z', end: '2026-11-24T10:00:00Z' };
  const booking = { ...slot, time_zone: 'America/Toronto', title: 'Haircut', notes: 'x', location: 'y' };
  const post = (path: string, headers: Record<string, string>, body?: unknown): GenuineRequest => ({
    method: 'POST',
    path,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const call = (path: string, body: unknown) => post(`/api/calendar/${path}`, api, body);
  const event = (version: number) => ({
    schema: 1,
    event_id: randomUUID(),
    type: 'booking.created',
    booking_id: randomUUID(),
    provider_id: providerId,
    version,
    occurred_at: slot.start,
    booking: { ...booking, attendee: { name: 'A', email: 'a@example.com' } },
  });
  const signedForm = () => ({
    connection_id: google.connection.id,
    id: randomUUID(),
    channel: { id: 'c', resourceId: 'r' },
  });
  const makers: [RunningIngress, () => GenuineRequest][] = [
    [plain, () => post(GOOGLE, google.headers())],
    [plain, () => post(GOOGLE, google.headers({ 'x-goog-resource-state': 'sync' }))],
    [plain, () => post(GOOGLE, google.headers(), { kind: 'x' })],
    [plain, () => post(MICROSOFT, json, { value: [graph.item()] })],
    [plain, () => post(MICROSOFT, json, { value: [graph.item(), graph.item({ id: undefined }), graph.item()] })],
    [plain, () => post(MICROSOFT, json, { value: [graph.item({ lifecycleEvent: 'missed' })] })],
    [plain, () => post(`${MICROSOFT}?validationToken=Validation%3A+x`, json)],
    [relayed, () => ({ ...post(GOOGLE, json, signedForm()), sign })],
    [relayed, () => ({ ...post(GOOGLE, google.headers(), signedForm()), sign })],
    [plain, () => call('availability', { provider_id: providerId, slots: [slot, slot] })],
    [plain, () => call('sync', { provider_id: providerId })],
    [plain, () => call('booking-events', event(1))],
    [
      plain,
      () =>
        call('connect-links', {
          provider_id: randomUUID(),
          calendar_provider: 'google',
          return_to: 'https://x.example',
        }),
    ],
    [plain, () => ({ method: 'GET', path: `/api/calendar/connections?provider_id=${providerId}`, headers: api })],
    [plain, () => ({ method: 'DELETE', path: `/api/calendar/connections/${randomUUID()}`, headers: api })],
    [plain, () => ({ method: 'GET', path: `/api/auth/google/calendar?token=${signLink(providerId)}`, headers: {} })],
    [
      plain,
      () => ({
        method: 'GET',
        path: '/api/auth/microsoft/calendar/callback?code=x&state=y',
        headers: { cookie: 'calsync_oauth=eyJhIjoxfQ.x' },
      }),
    ],
  ];
  return makers.map(([at, make]) => ({ at, make: () => withSomeHeader(make()) }));
}

function signLink(providerId: string): string {
  const wish = { providerId, calendarProvider: 'google', returnTo: null } as const;
  return signClaims('connect-link', createConnectClaims(wish, Date.now() / 1000), CHANNEL_SECRETS);
}

/** Each damage of a header needs one. */
function withSomeHeader(request: GenuineRequest): GenuineRequest {
  return { ...request, headers: { accept: '*/*', ...request.headers } };
}

function requestNumber(number: number): { at: RunningIngress; request: DamagedRequest } {
  const chance = seededRandom(SEED + number * 7_919);
  const one = genuine[Math.floor(chance() * genuine.length)] as (typeof genuine)[number];
  return { at: one.at, request: damage(one.make(), chance) };
}

/** What is wrong with this answer, whatever was asked; null for nothing. */
function findFault({ method }: DamagedRequest, answer: HttpAnswer): string | null {
  if (answer.status >= 500 || answer.status < 200) return `status ${answer.status}`;
  if (!answer.headers['x-request-id'] && answer.status !== 431) return 'no request id';
  if (/node_modules|\.ts:\d|\bat .*\(|postgres|drizzle|SELECT |violates/.test(answer.text)) return 'internals';
  if (answer.status < 400 || method === 'HEAD' || answer.headers['content-type']?.startsWith('text/html')) return null;
  return typeof answer.json?.error?.code === 'string' ? null : 'an error in another shape';
}

function describeRequest(number: number, { method, path, headers, body, chunkBytes }: DamagedRequest): string {
  const shown = `${method} ${path} ${JSON.stringify(headers)} ${body.toString('latin1').slice(0, 500)}`;
  return `request ${number} of seed ${SEED} (${body.length} bytes, in pieces of ${chunkBytes ?? body.length})\n${shown}\n`;
}

/** Sends it again when it is 503: once tells of a machine that stood still, each time of the request. */
async function sendPatiently(...request: Parameters<typeof sendRequest>): Promise<HttpAnswer> {
  for (let turn = 1; ; turn += 1) {
    const answer = await sendRequest(...request);
    if (answer.status !== 503 || turn === PATIENCE) return answer;
  }
}

/** Sends them, many at once; gives how many notifications were said to be recorded. */
async function sendAll(from: number, to: number): Promise<number> {
  let [next, recorded] = [from, 0];
  const send = async () => {
    while (next < to) {
      const number = next++;
      const { at, request } = requestNumber(number);
      const { method, path, ...ask } = request;
      const answer = await sendPatiently(`${at.url}${path}`, method, ask).catch((error: Error) => {
        throw new Error(
          `${describeRequest(number, request)} was not answered: ${error.message}\n${lines.slice(-3).join('\n')}`,
        );
      });
      const fault = findFault(request, answer);
      if (fault !== null) {
        throw new Error(`${describeRequest(number, request)}: ${fault}\n${answer.text.slice(0, 300)}`);
      }
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
      recorded += countRecorded(answer);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, send));
  return recorded;
}

function countRecorded({ json }: HttpAnswer): number {
  if (json?.processed !== true) return 0;
  return typeof json.accepted === 'number' ? json.accepted : json.connection_id === undefined ? 0 : 1;
}

/** Bytes that no client library would send. */
async function sendRaw(from: number, to: number): Promise<void> {
  let next = from;
  const send = async () => {
    while (next < to) {
      const number = next++;
      const chance = seededRandom(SEED + number * 104_729);
      const { at, request } = requestNumber(number);
      const head = [`${request.method} ${request.path} HTTP/1.1`, 'host: x', 'connection: close'];
      for (const [name, value] of Object.entries(request.headers)) head.push(`${name}: ${String(value)}`);
      head.push(`content-length: ${request.body.length}`, '', '');
      const bytes = Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), request.body.subarray(0, 5_000)]);
      for (let flips = 1 + Math.floor(chance() * 5); flips > 0; flips -= 1) {
        bytes[Math.floor(chance() * Math.min(bytes.length, 600))] = Math.floor(chance() * 256);
      }
      const text = await sendBytes(at.port, bytes, 300);
      if (/^HTTP\/1\.1 5/.test(text)) throw new Error(`raw request ${number} of seed ${SEED}: ${text.slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, send));
}

const residentMb = ({ supervisor }: RunningIngress) => {
  const status = readFileSync(`/proc/${supervisor.pids().get('ingress')}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
};
const countDeliveries = async () => Number((await database.sql`SELECT count(*) AS n FROM deliveries`)[0]?.n);
const isTaken = async (sender: Sender) =>
  (await sendRequest(`${plain.url}${GOOGLE}`, 'POST', { headers: sender.headers() })).status === 200;

test(`[W-6] ${REQUESTS.toLocaleString('en')} damaged requests: no 5xx, no unhandled error, nothing recorded that was not said, no growth`, async () => {
  const pids = [plain, relayed].map(({ supervisor }) => supervisor.pids().get('ingress'));
  const warmUp = REQUESTS / 2;
  let recorded = await sendAll(0, warmUp);
  await sendRaw(REQUESTS, REQUESTS + RAW_REQUESTS / 2);
  const before = [plain, relayed].map(residentMb);
  recorded += await sendAll(warmUp, REQUESTS);
  await sendRaw(REQUESTS + RAW_REQUESTS / 2, REQUESTS + RAW_REQUESTS);
  const after = [plain, relayed].map(residentMb);

  // It got past every check there is, and was stopped at every one of them.
  expect([...seen.keys()]).toEqual(expect.arrayContaining([200, 201, 202, 302, 400, 401, 404, 405, 413, 415, 422]));
  expect(recorded).toBeGreaterThan(REQUESTS / 100);
  const stored = await countDeliveries();
  // Raw bytes whose damage missed everything that matters were recorded as well.
  expect(stored).toBeGreaterThanOrEqual(recorded);
  expect(stored - recorded).toBeLessThan(RAW_REQUESTS);
  expect([plain, relayed].map(({ supervisor }) => supervisor.pids().get('ingress'))).toEqual(pids);
  expect(lines.filter((line) => /^ended|"level":"?(error|50|fatal|60)|unhandled|uncaught/i.test(line))).toEqual([]);
  for (const [index, mb] of after.entries()) expect(mb - (before[index] ?? 0)).toBeLessThan(24);
  expect(await isTaken(await openSender(database, 'google'))).toBe(true);
}, 240_000);
