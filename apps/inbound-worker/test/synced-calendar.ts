/** A calendar at the sandbox and the connection that is synced from it, in this process and over HTTP. */
import { type Connection, findConnection } from '@bookiji/db';
import type { CalendarProvider } from '@bookiji/providers/contract';
import { type SyncOutcome, syncConnection, type WindowSettings } from '@bookiji/sync';
import { type BuiltConnection, insertConnection, type TestDatabase } from '@bookiji/testing';
import {
  never,
  type SandboxedCalendar,
  type SandboxStage,
} from '../../../packages/providers/test/conformance/sandboxed-calendar.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** The current hour: every time of these tests is told from it. */
export const NOW = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
export const WINDOW = { pastDays: 1, futureDays: 30 };

export interface SyncedCalendar extends SandboxedCalendar {
  readonly connection: BuiltConnection;
  /** One look, whether or not anything asked for it. */
  sync(): Promise<SyncOutcome>;
  row(): Promise<Connection>;
  /** The provider's own busy time as stored, `start/end`, in order. */
  intervals(): Promise<string[]>;
  /** An event of the owner's, `from` and `to` in hours from now. */
  add(from: number, to: number, more?: object): Promise<{ id: string }>;
  /** What goes wrong with the calendar provider's next answers. */
  strike(fault: object): Promise<unknown>;
}

export async function openSyncedCalendar(
  stage: SandboxStage,
  { db, sql }: TestDatabase,
  calendarProvider: CalendarProvider,
  window: WindowSettings = WINDOW,
): Promise<SyncedCalendar> {
  const calendar = await stage.openCalendar(calendarProvider);
  const connection = await insertConnection(sql, { id: calendar.connectionId, calendarProvider });
  const deps = {
    db,
    openCalendar: () => calendar.port,
    owner: 'test',
    window,
    backoff: { baseSeconds: 300, maxSeconds: 21_600 },
    reconcileSeconds: 300,
    leaseMs: 30_000,
    random: () => 0.5,
  };
  return {
    ...calendar,
    connection,
    async sync() {
      await sql`
        UPDATE external_calendar_connections SET requested = requested + 1, backoff_until = NULL, status = 'active'
         WHERE id = ${connection.id}`;
      return syncConnection(deps, connection.id, never);
    },
    async row() {
      const row = await findConnection(db, connection.id);
      if (row === null) throw new Error('the connection is gone');
      return row;
    },
    async intervals() {
      const rows = await sql<{ start_time: Date; end_time: Date }[]>`
        SELECT start_time, end_time FROM external_calendar_events
         WHERE connection_id = ${connection.id} AND booking_id IS NULL AND is_busy ORDER BY start_time, end_time`;
      return rows.map((row) => spanText(row.start_time, row.end_time));
    },
    add: (from, to, more = {}) =>
      calendar.own('POST', '', { title: 'Private', start: hourText(from), end: hourText(to), ...more }),
    strike: (fault) =>
      calendar.order('POST', '/faults', { provider: calendarProvider, user: calendar.email, times: 1, ...fault }),
  };
}

export const LISTING: Readonly<Record<CalendarProvider, string>> = {
  google: 'events.list',
  microsoft: 'events.delta',
};

export function hourText(hour: number): string {
  return new Date(NOW + hour * HOUR_MS).toISOString();
}

export function spanText(start: Date | string | number, end: Date | string | number): string {
  return `${new Date(start).toISOString()}/${new Date(end).toISOString()}`;
}
