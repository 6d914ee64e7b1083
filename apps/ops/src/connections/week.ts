/** A connection's calendar as a picture: busy, bookings, and what is left between them inside the window in sync. */
import { type Connection, type Database, listStretches } from '@bookiji/db';
import { type Interval, subtractBusy } from '@bookiji/sync';

export type WeekPiece = Interval & {
  readonly kind: 'busy' | 'booking' | 'free' | 'unknown';
  readonly bookingId?: string;
};

/** More than a person can look at. */
const MOST_STRETCHES = 1_000;

export async function readWeek(
  db: Database,
  connection: Pick<Connection, 'id' | 'syncWindowStart' | 'syncWindowEnd'>,
  span: { readonly from: Date; readonly to: Date },
): Promise<WeekPiece[]> {
  const stretches = await listStretches(db, connection.id, span, MOST_STRETCHES);
  const taken = stretches.map(
    ({ startAt, endAt, bookingId }): WeekPiece =>
      bookingId === null ? { startAt, endAt, kind: 'busy' } : { startAt, endAt, kind: 'booking', bookingId },
  );
  return [...fillBetween(connection, span, taken), ...taken];
}

/** What is free, and what nobody knows since it lies outside the window. Pure. */
export function fillBetween(
  { syncWindowStart, syncWindowEnd }: Pick<Connection, 'syncWindowStart' | 'syncWindowEnd'>,
  span: { readonly from: Date; readonly to: Date },
  taken: readonly Interval[],
): WeekPiece[] {
  const whole = [{ startAt: span.from, endAt: span.to }];
  if (syncWindowStart === null || syncWindowEnd === null) return whole.map((part) => ({ ...part, kind: 'unknown' }));
  const known = { startAt: syncWindowStart, endAt: syncWindowEnd };
  const unknown = subtractBusy(whole, [known]);
  const free = subtractBusy(whole, [...unknown, ...taken]);
  return [
    ...unknown.map((part): WeekPiece => ({ ...part, kind: 'unknown' })),
    ...free.map((part): WeekPiece => ({ ...part, kind: 'free' })),
  ];
}
