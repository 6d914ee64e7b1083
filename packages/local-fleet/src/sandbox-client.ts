/** The owner's hand at a sandbox calendar, over the sandbox's admin API. */
import { expectJson, requestJson } from './http.ts';

export type CalendarProvider = 'google' | 'microsoft';

/** An event as its owner sees it. Instants are ISO 8601. */
export interface SandboxEvent {
  readonly id: string;
  readonly title: string | null;
  readonly start: string;
  readonly end: string;
  readonly status: string;
  readonly [more: string]: unknown;
}

export interface SandboxClient {
  readonly url: string;
  putUser(user: {
    calendar_provider: CalendarProvider;
    email: string;
    name?: string;
    time_zone?: string;
    [more: string]: unknown;
  }): Promise<void>;
  addEvent(
    at: SandboxCalendar,
    event: { title?: string; start: string; end: string; [more: string]: unknown },
  ): Promise<SandboxEvent>;
  changeEvent(at: SandboxCalendar, id: string, change: Readonly<Record<string, unknown>>): Promise<SandboxEvent>;
  deleteEvent(at: SandboxCalendar, id: string): Promise<void>;
  /** Living events of a span, series expanded. */
  listEvents(at: SandboxCalendar, from: Date, to: Date): Promise<SandboxEvent[]>;
  /** Any other order or record of the admin API. */
  order<Body>(method: string, path: string, body?: unknown): Promise<Body>;
}

export interface SandboxCalendar {
  readonly calendarProvider: CalendarProvider;
  readonly email: string;
}

export function createSandboxClient(url: string): SandboxClient {
  const order = <Body>(method: string, path: string, body?: unknown) =>
    expectJson<Body>(`${url}/sandbox${path}`, { method, ...(body === undefined ? {} : { body }) });
  const events = ({ calendarProvider, email }: SandboxCalendar) =>
    `/calendars/${calendarProvider}/${encodeURIComponent(email)}/events`;
  return {
    url,
    order,
    async putUser(user) {
      await order('PUT', '/users', user);
    },
    addEvent: (at, event) => order('POST', events(at), event),
    changeEvent: (at, id, change) => order('PATCH', `${events(at)}/${encodeURIComponent(id)}`, change),
    async deleteEvent(at, id) {
      await requestJson(`${url}/sandbox${events(at)}/${encodeURIComponent(id)}`, { method: 'DELETE' });
    },
    async listEvents(at, from, to) {
      const span = `?from=${from.toISOString()}&to=${to.toISOString()}`;
      return (await order<{ events: SandboxEvent[] }>('GET', `${events(at)}${span}`)).events;
    },
  };
}
