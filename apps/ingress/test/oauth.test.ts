import { randomUUID } from 'node:crypto';
import { createSandboxClient, type SandboxClient } from '@bookiji/local-fleet';
import { createSandbox, type Sandbox } from '@bookiji/sandbox';
import { channelSecret, codeChallengeOf, createChannelId } from '@bookiji/sync';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type HttpAnswer, sendRequest } from './http-client.ts';
import { CHANNEL_SECRETS, type IngressOptions, startIngress, type TestIngress } from './ingress-harness.ts';
import { collection, describeSender, GOOGLE, MICROSOFT } from './senders.ts';

let sandbox: Sandbox;
let owner: SandboxClient;
let ingress: TestIngress;
let sandboxUrl: string;
beforeAll(async () => {
  sandbox = createSandbox();
  sandboxUrl = (await sandbox.listen()).url;
  owner = createSandboxClient(sandboxUrl);
  ingress = await startIngress({ sandboxUrl });
});
afterAll(async () => {
  await ingress?.close();
  await sandbox?.close();
});

const beside = (over: IngressOptions) => startIngress({ sandboxUrl, shares: ingress.database, ...over });
const setCookie = (answer: HttpAnswer) => answer.headers['set-cookie'] ?? '';
const cookieOf = (answer: HttpAnswer) => setCookie(answer).split(';')[0] ?? '';
const stateOf = (cookie: string) =>
  JSON.parse(Buffer.from(cookie.split('=')[1]?.split('.')[0] ?? '', 'base64url').toString());

describe.each(['google', 'microsoft'] as const)('connecting a %s calendar', (calendarProvider) => {
  const CALLBACK = `/api/auth/${calendarProvider}/calendar/callback`;

  async function askForLink(at = ingress, more: object = {}) {
    const providerId = randomUUID();
    const wish = { provider_id: providerId, calendar_provider: calendarProvider, ...more };
    const answer = await at.call('POST', '/api/calendar/connect-links', wish);
    const path = answer.status === 201 ? answer.json.url.replace(at.url, '') : '';
    return { answer, providerId, path };
  }

  /** As far as the consent page, and what this browser holds now. */
  async function open(more: object = {}) {
    const link = await askForLink(ingress, more);
    const answer = await ingress.send('GET', link.path);
    return { ...link, answer, cookie: cookieOf(answer), consentUrl: new URL(answer.headers.location ?? '') };
  }

  /** Says yes, or whatever else, at the calendar provider; the way back is given, not taken. */
  async function decide(consentUrl: URL, decision: Record<string, string> = {}): Promise<string> {
    const email = `p-${randomUUID()}@${calendarProvider}.example`;
    const query = { sandbox_user: email, sandbox_decision: 'allow', ...decision };
    for (const [name, value] of Object.entries(query)) consentUrl.searchParams.set(name, value);
    const { location = '' } = (await sendRequest(consentUrl.href, 'GET', {})).headers;
    return location.replace(ingress.url, '');
  }

  const comeBack = (path: string, cookie: string, at = ingress) => at.send('GET', path, { headers: { cookie } });
  const connectionsOf = async (providerId: string) =>
    (await ingress.call('GET', `/api/calendar/connections?provider_id=${providerId}`)).json.connections;

  async function expectNoConnection(status: number, work: () => Promise<HttpAnswer>) {
    const count = async () => {
      const [row] = await ingress.database.sql`SELECT count(*)::int AS n FROM external_calendar_connections`;
      return row?.n;
    };
    const before = await count();
    const answer = await work();
    expect([answer.status, await count()]).toEqual([status, before]);
  }

  test('[A-1] from the link to a stored connection that is synced and watched, and back to where it began', async () => {
    const link = await open({ return_to: 'https://bookiji.example/settings?tab=calendar' });
    const done = await comeBack(await decide(link.consentUrl), link.cookie);
    expect([done.status, done.headers.location]).toEqual([302, 'https://bookiji.example/settings?tab=calendar']);
    const [connection] = await connectionsOf(link.providerId);
    expect(connection).toMatchObject({ status: 'active', calendar_provider: calendarProvider, sync_needed: true });
    const rung = async (queue: string) =>
      (await ingress.queues.queue(queue).getJobs(['waiting', 'wait', 'prioritized'])).map(({ data }) => data);
    expect(await rung('calendar-inbound-sync')).toContainEqual({ connection_id: connection.id });
    expect(await rung('calendar-retry')).toContainEqual({ task: 'keep_channel', connection_id: connection.id });
  });

  test('[A-1] without a place to go back to, a small page says that it is done', async () => {
    const link = await open();
    const done = await comeBack(await decide(link.consentUrl), link.cookie);
    expect([done.status, done.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(done.text).toContain('Your calendar is connected');
    expect(done.headers['content-security-policy']).toContain("default-src 'none'");
  });

  test('[A-1] asks with PKCE, a state and offline access; the verifier never leaves the browser and us', async () => {
    const { consentUrl, cookie } = await open();
    const { codeVerifier, nonce } = stateOf(cookie);
    const { searchParams: asked } = consentUrl;
    expect(asked.get('code_challenge_method')).toBe('S256');
    expect(asked.get('code_challenge')).toBe(codeChallengeOf(codeVerifier));
    expect(asked.get('state')).toBe(nonce);
    expect(`${asked.get('access_type')} ${asked.get('scope')}`).toMatch(/offline/);
    expect(consentUrl.href).not.toContain(codeVerifier);
  });

  test('[A-1] the cookie is for this way alone, out of reach of scripts, secure where the address is, and gone afterwards', async () => {
    const link = await open();
    const done = await comeBack(await decide(link.consentUrl), link.cookie);
    expect(setCookie(done)).toMatch(/^calsync_oauth=;.*Max-Age=0/);
    const safe = await beside({ publicBaseUrl: 'https://calendar.bookiji.example' });
    const { json } = (await askForLink(safe)).answer;
    const started = await safe.send('GET', json.url.replace('https://calendar.bookiji.example', ''));
    await safe.close();
    expect(setCookie(started)).toMatch(
      new RegExp(`; Path=/api/auth/${calendarProvider}; HttpOnly; SameSite=Lax; Max-Age=600; Secure$`),
    );
    expect(new URL(started.headers.location ?? '').searchParams.get('redirect_uri')).toBe(
      `https://calendar.bookiji.example${CALLBACK}`,
    );
  });

  test('[A-1] tokens are sealed at rest, and stand in no log with anything else that opens doors', async () => {
    const { path, consentUrl, cookie } = await open();
    const way = await decide(consentUrl);
    const issued = watchTokens(sandbox);
    await comeBack(way, cookie);
    expect(issued).toHaveLength(2);
    const stored = await ingress.snapshot();
    const logged = ingress.lines.join('');
    const code = new URL(way, ingress.url).searchParams.get('code') ?? '?';
    const { codeVerifier, nonce } = stateOf(cookie);
    const token = new URL(path, ingress.url).searchParams.get('token') ?? '?';
    for (const secret of [...issued, codeVerifier, code, nonce, token, 'client-secret']) {
      expect(secret.length).toBeGreaterThan(8);
      expect(stored).not.toContain(secret);
      expect(logged).not.toContain(secret);
    }
    expect(logged).toContain('calendar connected');
  });

  test('[A-1] a link is not used up by whoever only asks for its head', async () => {
    const { path } = await askForLink();
    expect((await ingress.send('HEAD', path)).status).toBe(204);
    expect((await ingress.send('GET', path)).status).toBe(302);
  });

  test('[A-1] a link works once', async () => {
    const { path } = await open();
    await expectNoConnection(410, () => ingress.send('GET', path));
  });

  test('[A-1] of two browsers that open a link at once one goes on', async () => {
    const { path } = await askForLink();
    const both = await Promise.all([ingress.send('GET', path), ingress.send('GET', path)]);
    expect(both.map(({ status }) => status).sort()).toEqual([302, 410]);
  });

  test('[A-1] a link ends after ten minutes', async () => {
    const { answer, path } = await askForLink();
    const endsAt = Date.parse(answer.json.expires_at);
    expect(endsAt - Date.now()).toBeGreaterThan(590_000);
    const late = await beside({ now: () => new Date(endsAt) });
    await expectNoConnection(400, () => late.send('GET', path));
    await late.close();
  });

  test('[A-1] the way through the consent page has ten minutes of its own', async () => {
    const link = await open();
    const way = await decide(link.consentUrl);
    const late = await beside({ now: () => new Date(Date.now() + 601_000) });
    await expectNoConnection(400, () => comeBack(way, link.cookie, late));
    await late.close();
  });

  test('[A-1] a link that was altered, or is none, or is for the other calendar provider, opens nothing', async () => {
    const { path } = await askForLink();
    const [start = '', token = ''] = path.split('?token=');
    const [payload = '', signature = ''] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const claimed = Buffer.from(JSON.stringify({ ...claims, providerId: randomUUID() })).toString('base64url');
    const elsewhere = path.replace(calendarProvider, calendarProvider === 'google' ? 'microsoft' : 'google');
    const { cookie } = await open();
    const wrong = [start, `${start}?token=`, `${start}?token=x.y`, `${path}A`, path.slice(0, -1), elsewhere];
    wrong.push(`${start}?token=${claimed}.${signature}`, `${start}?token=${payload}.`, `${start}?token=.${signature}`);
    // What signs a cookie does not sign a link.
    wrong.push(`${start}?token=${cookie.split('=')[1]}`, `${path}&token=${token}`);
    for (const one of wrong) await expectNoConnection(400, () => ingress.send('GET', one));
  });

  test('[A-1] the way back is open to the browser that set out, and to no other', async () => {
    const [mine, other] = [await open(), await open()];
    const way = await decide(mine.consentUrl);
    const [name = '', value = ''] = mine.cookie.split('=');
    for (const cookie of ['', other.cookie, `${name}=`, `${name}=${value}A`, `other=${value}`, `${name}=x.y`]) {
      await expectNoConnection(400, () => comeBack(way, cookie));
    }
    const foreign = way.replace(/state=[^&]+/, `state=${stateOf(other.cookie).nonce}`);
    // Whoever makes this browser open a strange way back does not end its own.
    expect((await comeBack(foreign, mine.cookie)).headers['set-cookie']).toBeUndefined();
    for (const path of [foreign, way.replace(/state=[^&]+/, ''), way.replace(/state=[^&]+/, 'state='), CALLBACK]) {
      await expectNoConnection(400, () => comeBack(path, mine.cookie));
    }
    const elsewhere = calendarProvider === 'google' ? 'microsoft' : 'google';
    await expectNoConnection(400, () => comeBack(way.replace(calendarProvider, elsewhere), mine.cookie));
    expect((await comeBack(way, mine.cookie)).status).toBe(200);
  });

  test("[A-1] another person's code cannot be slipped into my way", async () => {
    const [mine, other] = [await open(), await open()];
    const code = new URL(await decide(other.consentUrl), ingress.url).searchParams.get('code') ?? '';
    const slipped = `${CALLBACK}?state=${stateOf(mine.cookie).nonce}&code=${encodeURIComponent(code)}`;
    // The code was made for the other browser's verifier.
    await expectNoConnection(400, () => comeBack(slipped, mine.cookie));
  });

  test('[A-1] a code works once', async () => {
    const link = await open();
    const way = await decide(link.consentUrl);
    await comeBack(way, link.cookie);
    await expectNoConnection(400, () => comeBack(way, link.cookie));
  });

  test('[A-1] a refusal, and a scope left unticked, connect nothing', async () => {
    const refused = await open();
    const no = await decide(refused.consentUrl, { sandbox_decision: 'deny' });
    await expectNoConnection(400, () => comeBack(no, refused.cookie));
    const partly = await open();
    const some = await decide(partly.consentUrl, { sandbox_scopes: 'openid email' });
    await expectNoConnection(400, () => comeBack(some, partly.cookie));
  });

  test('[A-1] a failure is a page for a person, and for a program the one shape of an error', async () => {
    const [program, person] = await Promise.all(
      ['application/json', 'text/html,application/xhtml+xml,*/*;q=0.8'].map((accept) =>
        ingress.send('GET', `${CALLBACK}?state=x&code=y`, { headers: { accept } }),
      ),
    );
    expect([program?.status, JSON.parse(program?.text ?? '').error.code]).toEqual([400, 'foreign_state']);
    expect(person?.headers['content-type']).toContain('text/html');
    expect(person?.text).toContain('This page was not reached from a link that was opened in this browser.');
    const html = { headers: { accept: 'text/html' } };
    const used = await ingress.send('GET', `/api/auth/${calendarProvider}/calendar?token=x`, html);
    expect([used.status, used.headers['content-type']]).toEqual([400, expect.stringContaining('text/html')]);
    expect(used.text).toContain('This link is not valid, or its time is over; ask for a new one.');
  });

  test('[A-1][R-2] a calendar provider that is away connects nothing, and says so', async () => {
    const link = await open();
    const way = await decide(link.consentUrl);
    await owner.order('POST', '/faults', { operation: 'oauth.token', status: 503 });
    await expectNoConnection(502, () => comeBack(way, link.cookie));
    await owner.order('DELETE', '/faults');
  });

  test('[A-1] connecting again keeps the connection, its id and its rows', async () => {
    const providerId = randomUUID();
    const ids: string[] = [];
    for (const _ of [1, 2]) {
      const link = await open({ provider_id: providerId });
      await comeBack(await decide(link.consentUrl, { sandbox_user: `same@${calendarProvider}.example` }), link.cookie);
      ids.push(...(await connectionsOf(providerId)).map(({ id }: { id: string }) => id));
    }
    expect(ids).toHaveLength(2);
    expect(ids[0]).toBe(ids[1]);
  });

  test('[A-1] disconnecting erases the row although no worker comes; notifications for it are unknown', async () => {
    const link = await open();
    await comeBack(await decide(link.consentUrl), link.cookie);
    const [{ id }] = await connectionsOf(link.providerId);
    const gone = await ingress.call('DELETE', `/api/calendar/connections/${id}`);
    expect([gone.status, gone.text]).toEqual([204, '']);
    expect(await connectionsOf(link.providerId)).toEqual([]);
    expect((await ingress.call('DELETE', `/api/calendar/connections/${id}`)).status).toBe(404);
    const channelId = createChannelId(id);
    const proof = channelSecret(calendarProvider, channelId, CHANNEL_SECRETS);
    const sender = describeSender({ id, providerId: link.providerId, calendarProvider }, channelId, proof);
    const late =
      calendarProvider === 'google'
        ? await ingress.send('POST', GOOGLE, { headers: sender.headers() })
        : await ingress.send('POST', MICROSOFT, collection(sender.item()));
    expect(late.status).toBe(calendarProvider === 'google' ? 404 : 202);
  });

  test('[F-1] off: no link, no start, no way back, whatever was begun before; nothing is written', async () => {
    const [begun, waiting] = [await open(), await askForLink()];
    const way = await decide(begun.consentUrl);
    for (const value of ['false', 'TRUE', '1', '']) {
      const off = await beside({ flags: { CALENDAR_OAUTH_ENABLED: value } });
      const before = await ingress.snapshot();
      const asks = [
        (await askForLink(off)).answer,
        await off.send('GET', waiting.path),
        await comeBack(way, begun.cookie, off),
      ];
      await off.close();
      expect(asks.map(({ status, json }) => [status, json?.error?.code])).toEqual(Array(3).fill([403, 'oauth_off']));
      expect(await ingress.snapshot()).toBe(before);
    }
    // Refused, not used up.
    expect((await ingress.send('GET', waiting.path)).status).toBe(302);
  });

  test('[F-2] a provider who is not on the list is refused at each of the three', async () => {
    const [begun, waiting] = [await open(), await askForLink()];
    const way = await decide(begun.consentUrl);
    const narrowed = await beside({ flags: { CALENDAR_ALLOWLIST_PROVIDER_IDS: randomUUID() } });
    const asks = [
      (await askForLink(narrowed)).answer,
      await narrowed.send('GET', waiting.path),
      await comeBack(way, begun.cookie, narrowed),
    ];
    await narrowed.close();
    expect(asks.map(({ status, json }) => [status, json?.error?.code])).toEqual(
      Array(3).fill([403, 'not_allowlisted']),
    );
    expect(await connectionsOf(begun.providerId)).toEqual([]);
  });

  test('[F-2] the list of connections is not asked: the connection does not exist yet', async () => {
    const narrowed = await beside({ flags: { CALENDAR_ALLOWLIST_CONNECTION_IDS: randomUUID() } });
    const { path } = await askForLink(narrowed);
    expect((await narrowed.send('GET', path)).status).toBe(302);
    await narrowed.close();
  });

  test.each([
    ['a script', 'javascript:alert(1)'],
    ['an address without a scheme', '//evil.example'],
    ['a path', '/settings'],
    ['another scheme', 'ftp://bookiji.example'],
    ['an address in disguise', 'https://bookiji.example@evil.example'],
    ['three thousand letters', `https://bookiji.example/${'x'.repeat(3_000)}`],
  ])('[A-1] %s is no place to go back to', async (_, place) => {
    expect((await askForLink(ingress, { return_to: place })).answer.status).toBe(400);
  });

  test('[A-1] a link is for the booking service to ask for, about a provider that can be', async () => {
    const body = JSON.stringify({ provider_id: randomUUID(), calendar_provider: calendarProvider });
    const headers = { 'content-type': 'application/json' };
    for (const authorization of ['', 'Bearer', 'Bearer wrong', 'Basic wrong']) {
      const ask = { headers: { ...headers, authorization }, body };
      expect((await ingress.send('POST', '/api/calendar/connect-links', ask)).status).toBe(401);
    }
    for (const wrong of [{ provider_id: 'none' }, { calendar_provider: 'apple' }, { provider_id: undefined }]) {
      expect((await askForLink(ingress, wrong)).answer.status).toBe(400);
    }
  });
});

/** Writes down every token that the sandbox gives out from now on. */
function watchTokens({ state: { grants } }: Sandbox): string[] {
  const issued: string[] = [];
  const [access, refresh] = [grants.issueAccessToken.bind(grants), grants.issueRefreshToken.bind(grants)];
  const note = (token: string) => {
    issued.push(token);
    return token;
  };
  grants.issueAccessToken = (...asked) => note(access(...asked));
  grants.issueRefreshToken = (...asked) => note(refresh(...asked));
  return issued;
}
