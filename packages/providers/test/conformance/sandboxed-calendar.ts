/** One calendar at the sandbox, with its owner's hand and an adapter's port to it. */
import { randomUUID } from 'node:crypto';
import { createSandbox } from '@bookiji/sandbox';
import { createProviderEdges } from '../../src/adapters/index.ts';
import type { CalendarPort, CalendarProvider, EventDraft, OAuthPort } from '../../src/contract/index.ts';

export const never = new AbortController().signal;
const CLIENT = 'conformance';
export const ZONE = 'America/Toronto';

export interface SandboxedCalendar {
  readonly email: string;
  readonly connectionId: string;
  readonly port: CalendarPort;
  readonly oauth: OAuthPort;
  readonly refreshToken: string;
  /** Tokens that the adapter said were refused. */
  readonly rejected: readonly string[];
  /** The owner's hand; `path` below the calendar's events. */
  own<Answer = OwnEvent>(method: string, path?: string, body?: unknown): Promise<Answer>;
  order<Answer = unknown>(method: string, path: string, body?: unknown): Promise<Answer>;
  draft(changes?: Partial<EventDraft> & { readonly version?: number; readonly generation?: number }): EventDraft;
}

export interface OwnEvent {
  readonly id: string;
  readonly start_at: string;
  readonly end_at: string;
  readonly title: string | null;
}

export interface SandboxStage {
  openCalendar(calendarProvider: CalendarProvider): Promise<SandboxedCalendar>;
  readonly url: string;
  close(): Promise<void>;
}

export async function startStage(): Promise<SandboxStage> {
  const sandbox = createSandbox();
  const { url } = await sandbox.listen();
  const order = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    const request = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await fetch(`${url}/sandbox${path}`, request);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status} ${text}`);
    return (text === '' ? null : JSON.parse(text)) as Answer;
  };
  const edges = createProviderEdges({
    GOOGLE_CLIENT_ID: CLIENT,
    GOOGLE_CLIENT_SECRET: 'secret',
    GOOGLE_API_BASE_URL: url,
    GOOGLE_AUTHORIZE_URL: `${url}/o/oauth2/v2/auth`,
    GOOGLE_TOKEN_URL: `${url}/token`,
    GOOGLE_REVOKE_URL: `${url}/revoke`,
    MICROSOFT_CLIENT_ID: CLIENT,
    MICROSOFT_CLIENT_SECRET: 'secret',
    MICROSOFT_TENANT: 'common',
    MICROSOFT_GRAPH_BASE_URL: url,
    MICROSOFT_LOGIN_BASE_URL: url,
  });
  return {
    url,
    close: () => sandbox.close(),
    async openCalendar(calendarProvider) {
      const connectionId = randomUUID();
      const email = `${connectionId}@${calendarProvider}.example`;
      await order('PUT', '/users', { calendar_provider: calendarProvider, email, time_zone: ZONE });
      const grant = await order<{ access_token: string; refresh_token: string }>('POST', '/grants', {
        calendar_provider: calendarProvider,
        email,
        client_id: CLIENT,
      });
      const rejected: string[] = [];
      const tokens = {
        accessToken: async () => grant.access_token,
        rejected: (token: string) => void rejected.push(token),
      };
      const { adapter, oauth } = edges[calendarProvider];
      const events = `/calendars/${calendarProvider}/${encodeURIComponent(email)}/events`;
      return {
        email,
        connectionId,
        oauth,
        rejected,
        order,
        refreshToken: grant.refresh_token,
        port: adapter.open({ connectionId, calendarId: 'primary', tokens }),
        own: (method, path = '', body) => order(method, `${events}${path}`, body),
        draft: (changes = {}) => draftOf(connectionId, changes),
      };
    },
  };
}

function draftOf(connectionId: string, changes: Parameters<SandboxedCalendar['draft']>[0] = {}): EventDraft {
  const { version = 1, generation = 0, ...rest } = changes;
  const key = randomUUID();
  return {
    key: { googleEventId: key.replaceAll('-', ''), transactionId: key },
    marker: { bookingId: randomUUID(), connectionId, generation, version },
    icalUid: `${key}@bookiji`,
    title: 'Haircut',
    description: 'notes',
    location: 'Main street 1',
    startAt: new Date('2026-12-01T15:00:00Z'),
    endAt: new Date('2026-12-01T16:00:00Z'),
    timeZone: ZONE,
    ...rest,
  };
}
