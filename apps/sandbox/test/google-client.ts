/** Google's own client, pointed at the sandbox. */
import { auth, calendar, type calendar_v3 } from '@googleapis/calendar';
import { failureOf, type Harness } from './harness.ts';

export interface GoogleGrant {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly email: string;
  readonly calendar_id: string;
}

export async function grantGoogle(harness: Harness, email: string, more: object = {}): Promise<GoogleGrant> {
  const wish = { calendar_provider: 'google', email, client_id: 'tests', time_zone: 'America/Toronto', ...more };
  return harness.admin<GoogleGrant>('POST', '/grants', wish);
}

export function googleClient(harness: Harness, grant: { access_token: string }): calendar_v3.Calendar {
  const credentials = new auth.OAuth2();
  credentials.setCredentials({ access_token: grant.access_token });
  return calendar({ version: 'v3', auth: credentials, rootUrl: `${harness.url}/`, retry: false });
}

/** Status and reason of a refusal, as a client sees them. */
export async function refusalOf(work: Promise<unknown>): Promise<{ status: number | undefined; reason: unknown }> {
  const failure = (await failureOf(work)) as {
    status?: number;
    response?: { data?: { error?: { errors?: { reason?: string }[] } } };
  };
  return { status: failure.status, reason: failure.response?.data?.error?.errors?.[0]?.reason };
}

/** All pages of a listing: the items, how many pages, and the token of the last one. */
export async function listAll(client: calendar_v3.Calendar, query: calendar_v3.Params$Resource$Events$List) {
  const items: calendar_v3.Schema$Event[] = [];
  let pageToken: string | undefined;
  for (let pages = 1; ; pages += 1) {
    const { data } = await client.events.list({ ...query, ...(pageToken === undefined ? {} : { pageToken }) });
    items.push(...(data.items ?? []));
    if (!data.nextPageToken) return { items, pages, syncToken: data.nextSyncToken ?? '' };
    if (data.nextSyncToken) throw new Error('a page with both tokens');
    pageToken = data.nextPageToken;
  }
}
