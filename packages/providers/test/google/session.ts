import type { AroundRequest, CalendarPort, TokenSource } from '../../src/contract/index.ts';
import { createGoogleAdapter, type GoogleApiOptions } from '../../src/google/index.ts';
import { NOW, testTokens } from '../adapter-arguments.ts';

/** The routes of the calendar `primary`, as the local server names them. */
export const EVENTS = '/calendar/v3/calendars/primary/events';

export function openTestCalendar(
  apiBaseUrl: string,
  options: GoogleApiOptions & { calendarId?: string; tokens?: TokenSource; aroundRequest?: AroundRequest } = {},
): CalendarPort {
  const { calendarId = 'primary', tokens = testTokens(), aroundRequest, ...rest } = options;
  const around = aroundRequest === undefined ? {} : { aroundRequest };
  const adapter = createGoogleAdapter({ apiBaseUrl, now: () => NOW, ...rest });
  return adapter.open({ connectionId: 'c-1', calendarId, tokens, ...around });
}

/** One item as the list sends it, with what must not get further than the adapter. */
export function googleItem(id: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    kind: 'calendar#event',
    id,
    status: 'confirmed',
    etag: `"${id}-1"`,
    iCalUID: `${id}@google.com`,
    summary: 'private title',
    description: 'private description',
    creator: { email: 'guest@example.com' },
    start: { dateTime: '2026-11-24T09:00:00Z' },
    end: { dateTime: '2026-11-24T10:00:00Z' },
    ...changes,
  };
}

/** A refusal in Google's form. */
export function refusal(status: number, reason: string, location?: string): { status: number; body: unknown } {
  const errors = [{ domain: 'global', reason, message: 'private words', ...(location ? { location } : {}) }];
  return { status, body: { error: { code: status, message: 'private words', errors } } };
}
