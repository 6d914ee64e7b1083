import { doublePrecision, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

/** What the fleet may still ask of each calendar provider. */
export const providerBudgets = pgTable('provider_budgets', {
  calendarProvider: text().$type<'google' | 'microsoft'>().notNull(),
  tokens: doublePrecision().notNull(),
  filledAt: timestamp({ withTimezone: true, mode: 'date' }).notNull().defaultNow(),
  granted: integer().notNull(),
});
