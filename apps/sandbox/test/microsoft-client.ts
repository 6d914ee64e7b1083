/** Microsoft's own client, pointed at the sandbox. */
import { Client, GraphError, HTTPMessageHandler } from '@microsoft/microsoft-graph-client';
import { failureOf, type Harness, type Json } from './harness.ts';

export interface MicrosoftGrant {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly email: string;
  readonly calendar_id: string;
  readonly account_id: string;
}

export async function grantMicrosoft(harness: Harness, email: string, more: object = {}): Promise<MicrosoftGrant> {
  const wish = { calendar_provider: 'microsoft', email, client_id: 'tests', time_zone: 'America/Toronto', ...more };
  return harness.admin<MicrosoftGrant>('POST', '/grants', wish);
}

export type Prefer = 'immutable' | 'mutable';

/** The library's own message handler alone: its other handlers retry, and drop the token on every `http://` address. */
export function graphClient(harness: Harness, grant: { access_token: string }, ids: Prefer = 'immutable'): Client {
  const headers = {
    authorization: `Bearer ${grant.access_token}`,
    ...(ids === 'immutable' ? { prefer: 'IdType="ImmutableId"' } : {}),
  };
  const middleware = new HTTPMessageHandler();
  return Client.initWithMiddleware({ baseUrl: harness.url, middleware, fetchOptions: { headers } });
}

/** Status and code of a refusal, as a client sees them. */
export async function graphRefusalOf(work: Promise<unknown>): Promise<{ status: number; code: string | null }> {
  const failure = await failureOf(work);
  if (!(failure instanceof GraphError)) throw failure;
  return { status: failure.statusCode, code: failure.code };
}

export interface GraphItem extends Json {
  readonly id: string;
  readonly type?: string;
  readonly subject?: string;
  readonly seriesMasterId?: string | null;
  readonly '@removed'?: { reason: string };
}

interface GraphPage {
  readonly value: GraphItem[];
  readonly '@odata.nextLink'?: string;
  readonly '@odata.deltaLink'?: string;
}

export const WINDOW = 'startDateTime=2026-11-19T00:00:00Z&endDateTime=2027-02-19T00:00:00Z';
export const DELTA = `/me/calendarView/delta?${WINDOW}`;

/** Below `/v1.0`: the client takes whole addresses apart only when they are `https://`. */
export function pathOf(link: string | undefined): string {
  return (link ?? '').replace(/^https?:\/\/[^/]+\/v1\.0/, '');
}

/** All pages of a round or a list: the items page by page, and the link to go on from. */
export async function readAll(client: Client, path: string, prefer?: string) {
  const pages: GraphItem[][] = [];
  for (let link = path; ; ) {
    const request = client.api(link);
    if (prefer !== undefined) request.header('Prefer', `IdType="ImmutableId", ${prefer}`);
    const page = (await request.get()) as GraphPage;
    pages.push(page.value);
    const next = page['@odata.nextLink'];
    if (next === undefined) return { pages, items: pages.flat(), deltaPath: pathOf(page['@odata.deltaLink']) };
    if (page['@odata.deltaLink'] !== undefined) throw new Error('a page with both links');
    link = pathOf(next);
  }
}

export function timedEvent(subject: string, start: string, end: string, more: object = {}) {
  return {
    subject,
    start: { dateTime: start, timeZone: 'UTC' },
    end: { dateTime: end, timeZone: 'UTC' },
    ...more,
  };
}
