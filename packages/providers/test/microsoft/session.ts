import type { AroundRequest, CalendarPort, TokenSource } from '../../src/contract/index.ts';
import { createMicrosoftAdapter, type MicrosoftOptions } from '../../src/microsoft/index.ts';
import { NOW, testTokens } from '../adapter-arguments.ts';

export function openTestCalendar(
  graphBaseUrl: string,
  options: Partial<MicrosoftOptions> & {
    calendarId?: string;
    tokens?: TokenSource;
    aroundRequest?: AroundRequest;
  } = {},
): CalendarPort {
  const { calendarId = 'primary', tokens = testTokens(), aroundRequest, ...rest } = options;
  const around = aroundRequest === undefined ? {} : { aroundRequest };
  const adapter = createMicrosoftAdapter({
    graphBaseUrl,
    clientId: 'app',
    clientSecret: 'secret',
    now: () => NOW,
    ...rest,
  });
  return adapter.open({ connectionId: 'c-1', calendarId, tokens, ...around });
}

/** One event as the feed sends it. */
export function graphItem(id: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    '@odata.type': '#microsoft.graph.event',
    '@odata.etag': `W/"${id}-1"`,
    id,
    type: 'singleInstance',
    seriesMasterId: null,
    subject: 'private subject',
    body: { contentType: 'html', content: 'private body' },
    attendees: [{ emailAddress: { address: 'guest@example.com', name: 'Guest' } }],
    isAllDay: false,
    isCancelled: false,
    showAs: 'busy',
    responseStatus: { response: 'organizer', time: '0001-01-01T00:00:00Z' },
    originalStartTimeZone: 'UTC',
    iCalUId: `ical-${id}`,
    transactionId: null,
    ...times('2026-11-24T09:00:00', '2026-11-24T10:00:00'),
    ...changes,
  };
}

/** An occurrence as the feed sends it: hardly anything but its dates. */
export function occurrence(id: string, seriesMasterId: string, day: string): Record<string, unknown> {
  return {
    '@odata.type': '#microsoft.graph.event',
    '@odata.etag': `W/"${id}-1"`,
    id,
    type: 'occurrence',
    seriesMasterId,
    ...times(`${day}T09:00:00`, `${day}T10:00:00`),
  };
}

export function master(id: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return graphItem(id, { type: 'seriesMaster', ...times('2020-01-07T09:00:00', '2020-01-07T10:00:00'), ...changes });
}

export function times(start: string, end: string, timeZone = 'UTC') {
  return { start: { dateTime: `${start}.0000000`, timeZone }, end: { dateTime: `${end}.0000000`, timeZone } };
}

export const REMOVED = (id: string) => ({ id, '@removed': { reason: 'deleted' } });
