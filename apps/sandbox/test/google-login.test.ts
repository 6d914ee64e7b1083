import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { googleClient, grantGoogle, refusalOf } from './google-client.ts';
import { type Harness, type Json, startSandbox } from './harness.ts';

let harness: Harness;
const email = 'ada@example.com';
const verifier = 'v'.repeat(43);
const redirectUri = 'https://app.example.com/callback';
const calendarScope = 'https://www.googleapis.com/auth/calendar';

beforeAll(async () => {
  harness = await startSandbox();
});
afterAll(() => harness.close());
beforeEach(() => harness.admin('POST', '/reset'));

function authorizeUrl(more: Record<string, string> = {}): string {
  const query = new URLSearchParams({
    client_id: 'app',
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: `openid email ${calendarScope}`,
    state: 's-1',
    access_type: 'offline',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...more,
  });
  return `${harness.url}/o/oauth2/v2/auth?${query}`;
}

async function decide(decision: 'allow' | 'deny', more: Record<string, string> = {}): Promise<URLSearchParams> {
  const url = `${authorizeUrl(more)}&sandbox_user=${email}&sandbox_decision=${decision}`;
  const response = await fetch(url, { redirect: 'manual' });
  expect(response.status).toBe(302);
  return new URL(response.headers.get('location') ?? '').searchParams;
}

async function post(path: string, fields: Record<string, string>): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${harness.url}${path}`, { method: 'POST', body: new URLSearchParams(fields) });
  return { status: response.status, body: (await response.json()) as Json };
}

const client = { client_id: 'app', client_secret: 'secret' };
const exchange = (code: string | null, more: Record<string, string> = {}) =>
  post('/token', {
    ...client,
    grant_type: 'authorization_code',
    code: code ?? '',
    redirect_uri: redirectUri,
    code_verifier: verifier,
    ...more,
  });
const refresh = (token: unknown) =>
  post('/token', { ...client, grant_type: 'refresh_token', refresh_token: String(token) });
const connect = async (more: Record<string, string> = {}) =>
  (await exchange((await decide('allow', more)).get('code'))).body;

describe('google: signing in', () => {
  test('[A-1] google: the page names who asks for what, and a refusal comes back as one', async () => {
    const page = await (await fetch(authorizeUrl())).text();
    for (const shown of ['Google', 'app', calendarScope]) expect(page).toContain(shown);
    const back = await decide('deny');
    expect([back.get('error'), back.get('state')]).toEqual(['access_denied', 's-1']);
  });

  test('[A-1] google: a code works once, for its address, with its verifier', async () => {
    const refused = async (more: Record<string, string>) =>
      (await exchange((await decide('allow')).get('code'), more)).body.error;
    expect(await refused({ code_verifier: 'w'.repeat(43) })).toBe('invalid_grant');
    expect(await refused({ redirect_uri: 'https://app.example.com/other' })).toBe('redirect_uri_mismatch');
    const code = (await decide('allow')).get('code');
    expect((await exchange(code)).status).toBe(200);
    expect((await exchange(code)).body.error).toBe('invalid_grant');
  });

  test('[A-1] google: a refresh token comes with the first consent, and again only when consent is asked for', async () => {
    expect(await connect()).toHaveProperty('refresh_token');
    expect(await connect()).not.toHaveProperty('refresh_token');
    expect(await connect({ prompt: 'consent' })).toHaveProperty('refresh_token');
  });

  test('[A-1] google: people may untick scopes', async () => {
    const answer = await fetch(
      `${authorizeUrl()}&sandbox_user=${email}&sandbox_decision=allow&sandbox_scopes=openid%20email`,
      { redirect: 'manual' },
    );
    const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code');
    const { body } = await exchange(code);
    expect(String(body.scope).split(' ').sort()).toEqual(['email', 'openid']);
    const list = googleClient(harness, body as { access_token: string }).events.list({ calendarId: 'primary' });
    expect(await refusalOf(list)).toEqual({ status: 403, reason: 'insufficientPermissions' });
  });

  test('google: a refresh brings no new refresh token', async () => {
    const tokens = await connect();
    const { status, body } = await refresh(tokens.refresh_token);
    expect([status, 'refresh_token' in body]).toEqual([200, false]);
  });

  test('[R-3] google: a revoked grant is invalid_grant, and its access tokens end with it', async () => {
    const tokens = await connect();
    expect((await post('/revoke', { token: String(tokens.refresh_token) })).status).toBe(200);
    expect((await refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
    const list = googleClient(harness, tokens as { access_token: string }).events.list({ calendarId: 'primary' });
    expect(await refusalOf(list)).toEqual({ status: 401, reason: 'authError' });
    expect((await post('/revoke', { token: 'unknown' })).body.error).toBe('invalid_token');
  });

  test('google: a refresh token dies after half a year without use, the oldest beyond a hundred at once', async () => {
    const first = await connect();
    for (let count = 0; count < 100; count += 1) await connect({ prompt: 'consent' });
    expect((await refresh(first.refresh_token)).body.error).toBe('invalid_grant');
    const last = await connect({ prompt: 'consent' });
    await harness.admin('PUT', '/clock', { advance_ms: 184 * 86_400_000 });
    expect((await refresh(last.refresh_token)).body.error).toBe('invalid_grant');
  });
});

describe('google: limits and faults', () => {
  test('[R-1] google: beyond its requests a minute a user is refused with 403, a project with 429, until they have passed', async () => {
    const calendar = googleClient(harness, await grantGoogle(harness, email));
    const ask = () => calendar.calendars.get({ calendarId: 'primary' });
    await harness.admin('PUT', '/settings', { google: { user_requests_per_minute: 2 } });
    await ask();
    await ask();
    expect(await refusalOf(ask())).toEqual({ status: 403, reason: 'userRateLimitExceeded' });
    await harness.admin('PUT', '/settings', { google: { project_requests_per_minute: 3 } });
    expect(await refusalOf(ask())).toEqual({ status: 429, reason: 'rateLimitExceeded' });
    await harness.admin('PUT', '/clock', { advance_ms: 61_000 });
    expect((await ask()).status).toBe(200);
  });

  test('[R-1] google: a fault strikes the requests it names, as often as was ordered', async () => {
    const calendar = googleClient(harness, await grantGoogle(harness, email));
    const get = () => calendar.calendars.get({ calendarId: 'primary' });
    const order = { provider: 'google', operation: 'calendars.get', user: email, status: 503, skip: 1, times: 1 };
    await harness.admin('POST', '/faults', order);
    expect((await get()).status).toBe(200);
    expect(await refusalOf(get())).toEqual({ status: 503, reason: 'backendError' });
    expect((await get()).status).toBe(200);
    const { counts } = await harness.admin<{ counts: object[] }>('GET', '/requests?operation=calendars.get');
    expect(counts).toEqual([
      { calendar_provider: 'google', operation: 'calendars.get', status: 200, count: 2 },
      { calendar_provider: 'google', operation: 'calendars.get', status: 503, count: 1 },
    ]);
  });

  test('google: an expired access token is refused, another one works', async () => {
    const grant = await grantGoogle(harness, email);
    await harness.admin('PUT', '/clock', { advance_ms: 3_601_000 });
    const old = googleClient(harness, grant).calendars.get({ calendarId: 'primary' });
    expect(await refusalOf(old)).toEqual({ status: 401, reason: 'authError' });
    const fresh = (await refreshAs('tests', grant.refresh_token)).body as { access_token: string };
    expect((await googleClient(harness, fresh).calendars.get({ calendarId: 'primary' })).data.id).toBe(email);
  });
});

const refreshAs = (clientId: string, token: string) =>
  post('/token', { client_id: clientId, client_secret: 's', grant_type: 'refresh_token', refresh_token: token });
