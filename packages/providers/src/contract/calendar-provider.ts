/** The companies that host calendars. A *provider* (`provider_id`), in contrast, is the person being booked. */
export const CALENDAR_PROVIDERS = ['google', 'microsoft'] as const;
export type CalendarProvider = (typeof CALENDAR_PROVIDERS)[number];

/**
 * The longest window that a change feed can be started with; null where none is known. Graph refuses calendar views of
 * more than 1,825 days. https://learn.microsoft.com/graph/api/calendar-list-calendarview does not say so;
 * https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/6321 does.
 */
export const WINDOW_DAYS_AT_MOST: Readonly<Record<CalendarProvider, number | null>> = { google: null, microsoft: 1825 };
