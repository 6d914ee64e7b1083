import { bigint, boolean, integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { LastError, RequestedBy } from './connections.ts';

const instant = () => timestamp({ withTimezone: true, mode: 'date' });

/** One finished sync of one connection, whatever its outcome. */
export const syncRuns = pgTable('sync_runs', {
  id: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
  connectionId: uuid().notNull(),
  requestedBy: text().$type<RequestedBy>().notNull(),
  mode: text().$type<'incremental' | 'full'>().notNull(),
  outcome: text().notNull(),
  pages: integer().notNull().default(0),
  putCount: integer().notNull().default(0),
  droppedCount: integer().notNull().default(0),
  unreadableCount: integer().notNull().default(0),
  error: jsonb().$type<LastError>(),
  startedAt: instant().notNull(),
  finishedAt: instant().notNull().defaultNow(),
});

/** Work we stopped trying. One open letter per subject. */
export const deadLetters = pgTable('dead_letters', {
  id: uuid().notNull().defaultRandom(),
  kind: text().$type<'booking_event' | 'outbound_sync' | 'held_deletions'>().notNull(),
  reason: text().notNull(),
  subject: text().notNull(),
  payload: jsonb().$type<unknown>().notNull(),
  createdAt: instant().notNull().defaultNow(),
  replayedAt: instant(),
});
export type DeadLetter = typeof deadLetters.$inferSelect;

/** What operators switched off below the environment's ceiling. */
export const operatorSwitches = pgTable('operator_switches', {
  name: text().notNull(),
  isOn: boolean().notNull(),
  changedBy: text().notNull(),
  reason: text(),
  changedAt: instant().notNull().defaultNow(),
});

/** The operator log: who changed what, when and why. */
export const auditLog = pgTable('audit_log', {
  id: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
  actor: text().notNull(),
  action: text().notNull(),
  subject: text().notNull(),
  details: jsonb().$type<Record<string, unknown>>().notNull().default({}),
  createdAt: instant().notNull().defaultNow(),
});

/** When each sweep is next due over the whole fleet. */
export const sweeps = pgTable('sweeps', {
  name: text().notNull(),
  nextAt: instant().notNull().defaultNow(),
  lastAt: instant(),
  lastOwner: text(),
});

/** Connect links that were used. */
export const usedConnectLinks = pgTable('used_connect_links', {
  linkId: text().notNull(),
  expiresAt: instant().notNull(),
});

/** One start of one process, with what it has counted so far. */
export const processes = pgTable('processes', {
  instanceId: uuid().notNull(),
  role: text().notNull(),
  startedAt: instant().notNull().defaultNow(),
  seenAt: instant().notNull().defaultNow(),
  metrics: jsonb().$type<unknown>().notNull().default([]),
});
