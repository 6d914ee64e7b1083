import { jsonb, pgTable, uuid } from 'drizzle-orm/pg-core';
import { instant } from './instant.ts';

/** One difference between a calendar and the database. `subject` is a booking's or an event's id. */
export interface Mismatch {
  readonly kind: string;
  readonly subject: string;
}

/** When each connection's calendar is next held against the database, and what the last look found. */
export const connectionAudits = pgTable('connection_audits', {
  connectionId: uuid().notNull(),
  dueAt: instant().notNull().defaultNow(),
  /** The last look; null before the first. */
  auditedAt: instant(),
  /** What the last look saw for the first time. */
  suspects: jsonb().$type<readonly Mismatch[]>().notNull().default([]),
  /** What it saw again; these are what the gauge counts. */
  mismatches: jsonb().$type<readonly Mismatch[]>().notNull().default([]),
});
