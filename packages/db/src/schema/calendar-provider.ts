/** As the columns `calendar_provider` hold it; a check of the table of connections allows nothing else. */
export type CalendarProvider = 'google' | 'microsoft';
