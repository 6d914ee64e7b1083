/** Every route of the product × every kind of caller. A route without a row fails; so does a row without a route. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { API_TOKEN, startIngress, type TestIngress } from '../../apps/ingress/test/ingress-harness.ts';
import { collection, openSender, type Sender } from '../../apps/ingress/test/senders.ts';
import { OPS_TOKEN, READER_TOKEN, startOps, type TestOps } from '../../apps/ops/test/ops-harness.ts';
import { listRoutes } from './list-routes.ts';

const CALLERS = [
  'nobody',
  'wrong token',
  'api token',
  'operator token',
  'reader token',
  'operator session',
  'reader session',
  'channel proof',
  'forged proof',
  'foreign page', // an operator's session, sent along by a page of somebody else
] as const;
type Caller = (typeof CALLERS)[number];

/** What a door says to each caller: a status, or `in` for whatever the route itself answers to an empty question. */
type Door = Readonly<Record<Caller, number | 'in'>>;
const toAll = (said: number | 'in') => Object.fromEntries(CALLERS.map((caller) => [caller, said])) as Door;

const OPEN = toAll('in');
const API: Door = { ...toAll(401), 'api token': 'in' };
/** Without a proof there is not even an identifier. */
const NOTIFICATION: Door = { ...toAll(400), 'channel proof': 200, 'forged proof': 401 };
/** The link is the credential: signed, good once. Tested with the way through it. */
const LINK: Door = toAll(400);
const OPS_LOOK: Door = {
  ...toAll(401),
  'operator token': 'in',
  'reader token': 'in',
  'operator session': 'in',
  'reader session': 'in',
  'foreign page': 'in',
};
const OPS_CHANGE: Door = {
  ...toAll(401),
  'operator token': 'in',
  'operator session': 'in',
  'reader token': 403,
  'reader session': 403,
  'foreign page': 403,
};
/** Open to whoever has no session yet, never to somebody else's page. */
const OPS_LOGIN: Door = { ...toAll('in'), 'foreign page': 403 };
const OPS_LOGOUT: Door = { ...OPS_CHANGE, 'reader token': 'in', 'reader session': 'in' };

const INGRESS: Readonly<Record<string, Door>> = {
  'POST /api/webhooks/calendar/google': NOTIFICATION,
  'POST /api/webhooks/calendar/microsoft': NOTIFICATION,
  'POST /api/calendar/sync': API,
  'POST /api/calendar/booking-events': API,
  'POST /api/calendar/connect-links': API,
  'POST /api/calendar/availability': API,
  'GET /api/calendar/connections': API,
  'DELETE /api/calendar/connections/:id': API,
  'GET /api/auth/google/calendar': LINK,
  'GET /api/auth/google/calendar/callback': LINK,
  'GET /api/auth/microsoft/calendar': LINK,
  'GET /api/auth/microsoft/calendar/callback': LINK,
};

const OPS: Readonly<Record<string, Door>> = {
  'GET /assets/vendor/:file': OPEN,
  'GET /login': OPEN,
  'POST /login': OPS_LOGIN,
  'POST /logout': OPS_LOGOUT,
  'GET /': OPS_LOOK,
  'GET /connections': OPS_LOOK,
  'GET /connections/:id': OPS_LOOK,
  'GET /connections/:id/week': OPS_LOOK,
  'POST /connections/:id/:action': OPS_CHANGE,
  'GET /dead-letters': OPS_LOOK,
  'GET /dead-letters/:id': OPS_LOOK,
  'POST /dead-letters/:id/replay': OPS_CHANGE,
  'POST /dead-letters/:id/restore': OPS_CHANGE,
  'GET /switches': OPS_LOOK,
  'POST /switches': OPS_CHANGE,
  'GET /runbooks': OPS_LOOK,
  'GET /runbooks/:name': OPS_LOOK,
  'GET /api/ops/metrics/calendar': OPS_LOOK,
  'GET /api/ops/flags': OPS_LOOK,
  'PUT /api/ops/flags': OPS_CHANGE,
  'GET /api/ops/switches': OPS_LOOK,
  'PUT /api/ops/switches': OPS_CHANGE,
  'GET /api/ops/dead-letters': OPS_LOOK,
  'POST /api/ops/dead-letters/:id/replay': OPS_CHANGE,
  'POST /api/ops/dead-letters/:id/restore': OPS_CHANGE,
  'PUT /queues/api/queues/calendar-booking-events/empty': OPS_CHANGE,
};

/** Answered by what is no route of Express: health, files of the console, Bull Board. */
const BESIDE = {
  ingress: { 'GET /healthz': OPEN, 'GET /readyz': OPEN, 'GET /metrics': OPEN, 'GET /nowhere': toAll(404) },
  ops: {
    'GET /healthz': OPEN,
    'GET /readyz': OPEN,
    'GET /metrics': OPEN,
    'GET /assets/icon.svg': OPEN,
    'GET /queues': OPS_LOOK,
    'GET /queues/api/queues': OPS_LOOK,
    'PUT /queues/api/queues/calendar-retry/pause': OPS_CHANGE,
    'PUT /queues/api/queues/calendar-retry/retry/failed': OPS_CHANGE,
    'GET /nowhere': { ...OPS_LOOK },
  } satisfies Record<string, Door>,
};

const SOMEBODY = '11111111-1111-4111-8111-111111111111';
const PARAMETERS: Readonly<Record<string, string>> = {
  ':id': SOMEBODY,
  ':action': 'sync',
  ':name': 'README',
  ':file': 'fullcalendar.js',
};

let ingress: TestIngress;
let ops: TestOps;
let senders: Readonly<Record<'google' | 'microsoft', Sender>>;
let sessions: Readonly<Record<'operator' | 'reader', string>>;

beforeAll(async () => {
  [ingress, ops] = await Promise.all([startIngress(), startOps()]);
  senders = {
    google: await openSender(ingress.database, 'google'),
    microsoft: await openSender(ingress.database, 'microsoft'),
  };
  sessions = { operator: await logIn(OPS_TOKEN), reader: await logIn(READER_TOKEN) };
});
afterAll(async () => {
  await ingress?.close();
  await ops?.close();
});

async function logIn(password: string): Promise<string> {
  const answer = await ops.ask('/login', { form: { password }, as: null });
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

interface Sent {
  readonly headers: Record<string, string>;
  readonly body?: string;
}

function introduce(caller: Caller, route: string): Sent {
  const bearer = (token: string): Sent => ({ headers: { authorization: `Bearer ${token}` } });
  switch (caller) {
    case 'nobody':
      return { headers: {} };
    case 'wrong token':
      return bearer('a-wrong-token-of-good-length');
    case 'api token':
      return bearer(API_TOKEN);
    case 'operator token':
      return bearer(OPS_TOKEN);
    case 'reader token':
      return bearer(READER_TOKEN);
    case 'operator session':
      return { headers: { cookie: sessions.operator } };
    case 'reader session':
      return { headers: { cookie: sessions.reader } };
    case 'foreign page':
      return {
        headers: { cookie: sessions.operator, origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' },
      };
    case 'channel proof':
    case 'forged proof':
      return prove(caller === 'forged proof', route.endsWith('microsoft') ? 'microsoft' : 'google');
  }
}

function prove(isForged: boolean, calendarProvider: 'google' | 'microsoft'): Sent {
  const sender = senders[calendarProvider];
  const forged = 'x'.repeat(sender.secret.length);
  if (calendarProvider === 'google')
    return { headers: sender.headers(isForged ? { 'x-goog-channel-token': forged } : {}), body: '' };
  return collection(sender.item(isForged ? { clientState: forged } : {}));
}

async function knock(base: string, route: string, caller: Caller): Promise<number> {
  const [method = '', pattern = ''] = route.split(' ');
  const path = pattern.replace(/:\w+/g, (name) => PARAMETERS[name] ?? name);
  const { headers, body = '{}' } = introduce(caller, route);
  const hasBody = !['GET', 'DELETE'].includes(method);
  const answer = await fetch(`${base}${path}`, {
    method,
    redirect: 'manual',
    headers: { accept: 'application/json', ...(hasBody ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(hasBody ? { body } : {}),
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** A door that was passed leads to whatever the route says about an empty question, and never to a failure. */
function judge(status: number, said: number | 'in', route: string): number | 'in' {
  if (said !== 'in') return status;
  const isRefusal = [401, 403].includes(status) && !(route === 'POST /login' && status === 401);
  return isRefusal || status === 500 ? status : 'in';
}

describe.each([
  ['ingress', INGRESS, BESIDE.ingress],
  ['ops', OPS, BESIDE.ops],
] as const)('%s', (app, table, beside) => {
  test('every route has a row, and every row a route', () => {
    expect(listRoutes((app === 'ingress' ? ingress : ops).app)).toEqual(Object.keys(table).sort());
  });

  test.each(Object.entries({ ...table, ...beside }))(
    '[W-2] [S-5] %s lets in whom it should, and nobody else',
    async (route, door) => {
      const base = (app === 'ingress' ? ingress : ops).url;
      const answers = await Promise.all(
        CALLERS.map(async (caller) => [caller, judge(await knock(base, route, caller), door[caller], route)] as const),
      );
      expect(Object.fromEntries(answers)).toEqual(door);
    },
  );
});
