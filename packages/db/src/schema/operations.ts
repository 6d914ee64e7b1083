import { bigint, boolean, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { LastError, RequestedBy } from './connections.ts';
import { instant } from './instant.ts';

/** One finished sync of one connection, whatever its outcome. */
export const syncRuns = pgTable('sync_runs', {
  id: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
  connectionId: uuid().notNull(),
  requestedBy: text().$type<RequestedBy>().notNull(),
  mode: text().$type<'incremental' | 'full'>().notNull(),
  /** `synced` or `failed`. */
  outcome: text().notNull(),
  pages: integer().notNull().default(0),
  /** Rows that were really written; what was there unchanged does not count. */
  putCount: integer().notNull().default(0),
  droppedCount: integer().notNull().default(0),
  /** Items of the feed that could not be understood. */
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
  /** What it is about: the same trouble is one open letter, however often it is met. */
  subject: text().notNull(),
  /** Everything that is needed to understand and replay it. */
  payload: jsonb().$type<unknown>().notNull(),
  createdAt: instant().notNull().defaultNow(),
  /** When it was closed: replayed, discarded, or decided on. */
  replayedAt: instant(),
});
export type DeadLetter = typeof deadLetters.$inferSelect;

/** What operators switched off below the environment's ceiling. */
export const operatorSwitches = pgTable('operator_switches', {
  /** A flag, `provider:google`, `queue:<name>`, `connection:<id>` or `shadow`. */
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
  /** Whoever moves it on has the turn. */
  nextAt: instant().notNull().defaultNow(),
  lastAt: instant(),
  lastOwner: text(),
});

/** Connect links that were used. */
export const usedConnectLinks = pgTable('used_connect_links', {
  linkId: text().notNull(),
  /** The link's own end; the row may go after it. */
  expiresAt: instant().notNull(),
});

/** One start of one process, with what it has counted so far. */
export const processes = pgTable('processes', {
  instanceId: uuid().notNull(),
  role: text().notNull(),
  startedAt: instant().notNull().defaultNow(),
  /** When it last reported; a process that is alive does so every second. */
  seenAt: instant().notNull().defaultNow(),
  /** prom-client's metrics as JSON. */
  metrics: jsonb().$type<unknown>().notNull().default([]),
});
