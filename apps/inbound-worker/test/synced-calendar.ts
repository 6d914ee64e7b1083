/** A calendar at the sandbox and the connection that is synced from it, in this process and over HTTP. */
import { randomUUID } from 'node:crypto';
import { acceptBookingIntent, type Connection, findConnection, findDueEffects } from '@bookiji/db';
import type { CalendarProvider } from '@bookiji/providers/contract';
import { auditConnection, convergeBooking, type SyncOutcome, syncConnection, type WindowSettings } from '@bookiji/sync';
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
  /** Looks and writes until nothing is due; every change of the calendar, ours too, is looked at. */
  settle(): Promise<void>;
  /** A version of a booking, an hour long, beginning so many hours from now, as the booking service tells it; settled. */
  book(booking: BookedHour): Promise<void>;
  /** What one look of the audit suspects or finds again, by kind. */
  audit(): Promise<string[]>;
  row(): Promise<Connection>;
  /** The provider's own busy time as stored, `start/end`, in order. */
  intervals(): Promise<string[]>;
  /** An event of the owner's, `from` and `to` in hours from now. */
  add(from: number, to: number, more?: object): Promise<{ id: string }>;
  /** What goes wrong with the calendar provider's next answers. */
  strike(fault: object): Promise<unknown>;
}

export interface BookedHour {
  readonly bookingId: string;
  readonly version: number;
  readonly hour: number;
  readonly state?: 'live' | 'cancelled';
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
  async function sync(): Promise<SyncOutcome> {
    await sql`
      UPDATE external_calendar_connections SET requested = requested + 1, backoff_until = NULL, status = 'active'
       WHERE id = ${connection.id}`;
    return syncConnection(deps, connection.id, never);
  }

  async function settle(): Promise<void> {
    const only = { providerIds: null, connectionIds: [connection.id] };
    for (let round = 0; round < 4; round += 1) {
      await sync();
      for (const due of await findDueEffects(db, only, 10)) {
        await convergeBooking({ ...deps, backoff: { baseSeconds: 1, maxSeconds: 10 } }, due, never);
      }
    }
  }

  return {
    ...calendar,
    connection,
    sync,
    settle,
    async book({ bookingId, version, hour, state = 'live' }) {
      await acceptBookingIntent(db, {
        eventId: randomUUID(),
        bookingId,
        providerId: connection.providerId,
        version,
        state,
        startAt: new Date(NOW + hour * HOUR_MS),
        endAt: new Date(NOW + (hour + 1) * HOUR_MS),
        details: { title: 'Haircut', time_zone: 'UTC' },
      });
      await settle();
    },
    async audit() {
      const times = { intervalSeconds: 86_400, settleSeconds: 60 };
      const seen = await auditConnection({ ...deps, ...times, mayWrite: () => true }, connection.id, never);
      if (seen.outcome !== 'audited') throw new Error(`the audit ended as ${seen.outcome}`);
      return [...seen.suspects, ...seen.mismatches].map(({ kind }) => kind);
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
