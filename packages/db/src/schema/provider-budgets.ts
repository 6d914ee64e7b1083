import { doublePrecision, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import type { CalendarProvider } from './calendar-provider.ts';

/** What the fleet may still ask of each calendar provider. */
export const providerBudgets = pgTable('provider_budgets', {
  calendarProvider: text().$type<CalendarProvider>().notNull(),
  /** Requests left as of `filledAt`; a second's share at most. */
  tokens: doublePrecision().notNull(),
  filledAt: timestamp({ withTimezone: true, mode: 'date' }).notNull().defaultNow(),
  /** What the last asker got, so that one statement can take and tell. */
  granted: integer().notNull(),
});
