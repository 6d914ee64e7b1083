/** The companies that host calendars. A *provider* (`provider_id`), in contrast, is the person being booked. */
export const CALENDAR_PROVIDERS = ['google', 'microsoft'] as const;
export type CalendarProvider = (typeof CALENDAR_PROVIDERS)[number];
