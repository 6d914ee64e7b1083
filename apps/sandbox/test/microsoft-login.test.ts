import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Harness, type Json, startSandbox } from './harness.ts';
import { graphClient, graphRefusalOf } from './microsoft-client.ts';

let harness: Harness;
const email = 'bob@example.com';
const verifier = 'v'.repeat(43);
const redirectUri = 'https://app.example.com/callback';
const scope = 'openid email offline_access https://graph.microsoft.com/Calendars.ReadWrite User.Read';

beforeAll(async () => {
  harness = await startSandbox();
});
afterAll(() => harness.close());
beforeEach(() => harness.admin('POST', '/reset'));

function authorizeUrl(more: Record<string, string> = {}): string {
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const query = new URLSearchParams({
    client_id: 'app',
    response_type: 'code',
    redirect_uri: redirectUri,
    response_mode: 'query',
    scope,
    state: 's/1',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...more,
  });
  return `${harness.url}/common/oauth2/v2.0/authorize?${query}`;
}

async function decide(decision: 'allow' | 'deny', more: Record<string, string> = {}): Promise<URLSearchParams> {
  const url = `${authorizeUrl(more)}&sandbox_user=${email}&sandbox_decision=${decision}`;
  const response = await fetch(url, { redirect: 'manual' });
  expect(response.status).toBe(302);
  const back = new URL(response.headers.get('location') ?? '');
  expect(back.origin + back.pathname).toBe(redirectUri);
  return back.searchParams;
}

async function askToken(fields: Record<string, string>): Promise<{ status: number; body: Json }> {
  const form = new URLSearchParams({ client_id: 'app', client_secret: 'secret', ...fields });
  const response = await fetch(`${harness.url}/common/oauth2/v2.0/token`, { method: 'POST', body: form });
  return { status: response.status, body: (await response.json()) as Json };
}

const exchange = (code: string | null, more: Record<string, string> = {}) =>
  askToken({
    grant_type: 'authorization_code',
    code: code ?? '',
    redirect_uri: redirectUri,
    code_verifier: verifier,
    ...more,
  });
const refresh = (token: unknown, more: Record<string, string> = {}) =>
  askToken({ grant_type: 'refresh_token', refresh_token: String(token), ...more });
const connect = async () => (await exchange((await decide('allow')).get('code'))).body;

describe('microsoft: signing in', () => {
  test('[A-1] microsoft: a person sees who asks for what, and decides on the page', async () => {
    await harness.admin('PUT', '/users', { calendar_provider: 'microsoft', email });
    const page = await (await fetch(authorizeUrl())).text();
    for (const shown of ['Microsoft', 'app', email, 'Calendars.ReadWrite']) expect(page).toContain(shown);
    const form = new URLSearchParams({ sandbox_user: email, sandbox_decision: 'allow' });
    for (const one of scope.split(' ')) form.append('sandbox_scope', one);
    const answer = await fetch(authorizeUrl(), { method: 'POST', body: form, redirect: 'manual' });
    const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code');
    expect((await exchange(code)).status).toBe(200);
  });

  test('[A-1] microsoft: the code brings tokens that name the account and what was granted', async () => {
    const back = await decide('allow');
    expect(back.get('state')).toBe('s/1');
    const { status, body } = await exchange(back.get('code'));
    expect(status).toBe(200);
    expect(String(body.scope).split(' ').sort()).toEqual([
      'https://graph.microsoft.com/Calendars.ReadWrite',
      'https://graph.microsoft.com/User.Read',
    ]);
    const claims = JSON.parse(Buffer.from(String(body.id_token).split('.')[1] ?? '', 'base64url').toString('utf8'));
    expect(claims).toMatchObject({ aud: 'app', preferred_username: email });
    const me = await graphClient(harness, body as { access_token: string })
      .api('/me')
      .get();
    expect(me.id).toBe(claims.oid);
  });

  test('[A-1] microsoft: a refusal comes back as access_denied', async () => {
    const back = await decide('deny');
    expect([back.get('error'), back.get('code'), back.get('state')]).toEqual(['access_denied', null, 's/1']);
  });

  test('[A-1] microsoft: a code works once, for its address, with its verifier, for its client', async () => {
    const refused = async (more: Record<string, string>) => {
      const { status, body } = await exchange((await decide('allow')).get('code'), more);
      return [status, body.error];
    };
    expect(await refused({ code_verifier: 'w'.repeat(43) })).toEqual([400, 'invalid_grant']);
    expect(await refused({ redirect_uri: 'https://app.example.com/other' })).toEqual([400, 'invalid_grant']);
    expect(await refused({ client_id: 'other', client_secret: 'x' })).toEqual([400, 'invalid_grant']);
    const code = (await decide('allow')).get('code');
    expect((await exchange(code)).status).toBe(200);
    expect((await exchange(code)).body.error_codes).toEqual([54005]);
  });

  test('microsoft: a registered client is held to its secret and its addresses', async () => {
    const client = { calendar_provider: 'microsoft', client_id: 'app', client_secret: 'right' };
    await harness.admin('PUT', '/clients', { ...client, redirect_uris: ['https://other.example.com/'] });
    expect((await fetch(authorizeUrl(), { redirect: 'manual' })).status).toBe(400);
    const { status, body } = await exchange('any');
    expect([status, body.error]).toEqual([401, 'invalid_client']);
  });

  test('microsoft: without offline_access there is no refresh token', async () => {
    const back = await decide('allow', { scope: 'openid Calendars.ReadWrite' });
    expect((await exchange(back.get('code'))).body).not.toHaveProperty('refresh_token');
  });
});

describe('microsoft: refreshing', () => {
  test('[A-1] microsoft: every refresh brings a new refresh token, and the old one keeps working', async () => {
    const first = await connect();
    const second = (await refresh(first.refresh_token)).body;
    const third = (await refresh(first.refresh_token)).body;
    const tokens = new Set([first, second, third].map(({ refresh_token: token }) => token));
    expect(tokens.size).toBe(3);
    expect((await refresh(second.refresh_token)).status).toBe(200);
  });

  test('[R-3] microsoft: a revoked grant ends its tokens with invalid_grant and a number for logs', async () => {
    const tokens = await connect();
    await harness.admin('POST', '/grants/revoke', { calendar_provider: 'microsoft', email });
    const { status, body } = await refresh(tokens.refresh_token);
    expect([status, body.error, body.error_codes]).toEqual([400, 'invalid_grant', [50173]]);
    expect(body.error_description).toMatch(/^AADSTS50173: .*Trace ID: .*Correlation ID: .*Timestamp: /);
    const me = graphClient(harness, tokens as { access_token: string })
      .api('/me')
      .get();
    expect(await graphRefusalOf(me)).toEqual({ status: 401, code: 'InvalidAuthenticationToken' });
  });

  test('microsoft: a refresh token dies after ninety days without use', async () => {
    const tokens = await connect();
    const days = 86_400_000;
    await harness.admin('PUT', '/clock', { advance_ms: 89 * days });
    const { body } = await refresh(tokens.refresh_token);
    await harness.admin('PUT', '/clock', { advance_ms: 91 * days });
    expect((await refresh(body.refresh_token)).body.error_codes).toEqual([700082]);
  });

  test('microsoft: an access token ends after its time, or on order, and a refresh brings another', async () => {
    const tokens = (await connect()) as Json & { access_token: string };
    const ask = (token: string) => graphClient(harness, { access_token: token }).api('/me').get();
    expect(tokens.expires_in).toBe(3600);
    await harness.admin('POST', '/tokens/expire', { calendar_provider: 'microsoft' });
    expect(await graphRefusalOf(ask(tokens.access_token))).toMatchObject({ status: 401 });
    const fresh = (await refresh(tokens.refresh_token)).body as Json & { access_token: string };
    expect((await ask(fresh.access_token)).mail).toBe(email);
  });

  test('microsoft: a scope that was never granted, and a token that is none, are invalid_grant', async () => {
    const tokens = await connect();
    expect((await refresh(tokens.refresh_token, { scope: 'Mail.Read' })).body.error_codes).toEqual([65001]);
    expect((await refresh('nonsense')).body.error).toBe('invalid_grant');
    expect((await askToken({ grant_type: 'password' })).body.error).toBe('unsupported_grant_type');
  });
});
