/** Addresses below `/v1.0`. Pure. */

/** The account's own calendar. The documented paths exist for it alone, so it is addressed without an id. */
const PRIMARY = 'primary';

export function calendarPath(calendarId: string): string {
  return calendarId === PRIMARY ? '/me' : `/me/calendars/${encodeURIComponent(calendarId)}`;
}

/** By id an event is reached without its calendar. */
export function eventPath(eventId: string): string {
  return `/me/events/${encodeURIComponent(eventId)}`;
}

/** What a subscription watches. `/me/events` is the default calendar alone; the other form is undocumented but in use. */
export function watchedResource(calendarId: string): string {
  return calendarId === PRIMARY ? 'me/events' : `me/calendars/${calendarId}/events`;
}

/** Values are encoded, names are not: `$select` stays readable. */
export function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}
