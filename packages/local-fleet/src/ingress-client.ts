/** The booking service's hand, over ingress's HTTP routes. */
import { expectJson, type HttpAnswer, requestJson } from './http.ts';
import type { CalendarProvider } from './sandbox-client.ts';

export interface ConnectionStatus {
  readonly id: string;
  readonly provider_id: string;
  readonly calendar_provider: CalendarProvider;
  readonly status: string;
  readonly last_synced_at: string | null;
  readonly [more: string]: unknown;
}

export interface Slot {
  readonly start: string;
  readonly end: string;
}

export interface Availability {
  readonly free: readonly Slot[];
  readonly trusted: boolean;
  readonly evidence: readonly { connection_id: string; fresh: boolean; reason: string | null }[];
}

export interface IngressClient {
  readonly url: string;
  request<Body>(method: string, path: string, body?: unknown): Promise<HttpAnswer<Body>>;
  connections(providerId: string): Promise<ConnectionStatus[]>;
  availability(providerId: string, slots: readonly Slot[]): Promise<Availability>;
  /**
   * Connects a calendar as its owner would: the link, the provider's consent page (answered by the sandbox at once),
   * the way back. Returns the connection's id.
   *
   * @throws Error saying at which step it failed.
   */
  connectCalendar(providerId: string, calendarProvider: CalendarProvider, email: string): Promise<string>;
}

export function createIngressClient(url: string, apiToken: string): IngressClient {
  const headers = { authorization: `Bearer ${apiToken}` };
  const request = <Body>(method: string, path: string, body?: unknown) =>
    requestJson<Body>(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  const expect = <Body>(path: string, body?: unknown) =>
    expectJson<Body>(`${url}${path}`, { headers, ...(body === undefined ? {} : { body }) });
  const connections = async (providerId: string) =>
    (await expect<{ connections: ConnectionStatus[] }>(`/api/calendar/connections?provider_id=${providerId}`))
      .connections;
  return {
    url,
    request,
    connections,
    availability: (providerId, slots) => expect('/api/calendar/availability', { provider_id: providerId, slots }),
    async connectCalendar(providerId, calendarProvider, email) {
      const link = await expect<{ url: string }>('/api/calendar/connect-links', {
        provider_id: providerId,
        calendar_provider: calendarProvider,
      });
      await consent(link.url, email);
      const [connected] = (await connections(providerId)).filter((one) => one.calendar_provider === calendarProvider);
      if (connected === undefined) throw new Error('the consent was given, but there is no connection');
      return connected.id;
    },
  };
}

/** A browser in three requests: it keeps one cookie and follows two redirects. */
async function consent(linkUrl: string, email: string): Promise<void> {
  const start = await requestJson(linkUrl);
  const consentUrl = readRedirect(start, 'the connect link');
  const cookie = (start.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  consentUrl.searchParams.set('sandbox_user', email);
  consentUrl.searchParams.set('sandbox_decision', 'allow');
  const callback = readRedirect(await requestJson(consentUrl.href), 'the consent page');
  const done = await requestJson(callback.href, { headers: { cookie } });
  if (done.status !== 200 && done.status !== 302) throw new Error(`the callback answered ${done.status}`);
}

function readRedirect(answer: HttpAnswer<unknown>, who: string): URL {
  const location = answer.headers.get('location');
  if (answer.status !== 302 || location === null) throw new Error(`${who} answered ${answer.status}`);
  return new URL(location);
}
