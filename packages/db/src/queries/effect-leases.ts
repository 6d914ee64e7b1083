/**
 * One booking in one connection's calendar: the lease to write it. The same rules as for syncs hold: the database's clock,
 * a token that only grows, results only against the newest token.
 */
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { hotStatement } from '../hot-statement.ts';
import type { CalendarProvider } from '../schema/calendar-provider.ts';
import {
  type BookingDetails,
  type BookingEffect,
  bookingEffects,
  bookingIntents,
  connections,
} from '../schema/index.ts';
import { credentialColumns, type StoredCredentials } from './credentials.ts';
import { LeaseLostError, unlessGivenBack } from './sync-leases.ts';

const given = sql.placeholder;
/** Said of `booking_effects e`. */
export const hasWork = sql`(e.applied_version < e.version OR e.inspected < e.inspect_requested)`;
export const isFree = sql`(e.lease_until IS NULL OR e.lease_until <= now())`;

/** What one claim sees: the effect, the newest intent, and whose calendar it goes to. */
export interface EffectClaim {
  readonly effect: BookingEffect;
  readonly token: number;
  readonly providerId: string;
  readonly calendarProvider: CalendarProvider;
  readonly externalCalendarId: string;
  readonly desired: {
    readonly version: number;
    readonly state: 'live' | 'cancelled';
    readonly startAt: Date | null;
    readonly endAt: Date | null;
    readonly details: BookingDetails | null;
  };
  /** The sealed tokens at the claim, so that nobody has to ask for them once more. Not for logs. */
  readonly credentials: StoredCredentials;
  readonly claimedAt: Date;
}

/** Takes the lease when the effect has work, its wait is over, its connection is active, and nobody holds it; else null. */
export async function claimEffect(
  db: Database,
  claim: { bookingId: string; connectionId: string; owner: string; leaseMs: number },
): Promise<EffectClaim | null> {
  const [row] = await effectClaim(db).execute(claim);
  if (row === undefined) return null;
  const { effect } = row;
  // A claim that waited for the effect's row sees it as it is now, but the intent as it was when the statement began. The
  // effect's version is committed with its intent, so a second look finds that one or a newer one.
  const intent = row.intent.version < effect.version ? await readIntent(db, claim.bookingId) : row.intent;
  return {
    effect,
    token: effect.leaseToken,
    ...row.connection,
    credentials: { calendarProvider: row.connection.calendarProvider, ...row.credentials },
    desired: {
      version: intent.version,
      state: intent.state,
      startAt: intent.startTime,
      endAt: intent.endTime,
      details: intent.details,
    },
    claimedAt: row.claimedAt,
  };
}

/** One statement, so that nobody sleeps between taking the lease and reading what it is for. */
const effectClaim = hotStatement((db) => {
  const taken = db
    .$with('taken', {
      ...getTableColumns(bookingEffects),
      claimedAt: sql<Date>`claimed_at`.mapWith(bookingEffects.updatedAt).as('claimed_at'),
    })
    .as(sql`
      UPDATE booking_effects e
         SET lease_owner = ${given('owner')}, lease_token = e.lease_token + 1,
             lease_until = now() + ${given('leaseMs')} * interval '1 millisecond'
        FROM external_calendar_connections c
       WHERE e.booking_id = ${given('bookingId')} AND e.connection_id = ${given('connectionId')} AND c.id = e.connection_id
         AND ${hasWork} AND e.dead_at IS NULL AND e.next_attempt_at <= now() AND ${isFree}
         AND c.status = 'active' AND c.sync_enabled
      RETURNING e.*, now() AS claimed_at`);
  const columns = getTableColumns(bookingEffects);
  const names = Object.keys(columns) as (keyof typeof columns)[];
  const effect = Object.fromEntries(names.map((name) => [name, taken[name]])) as unknown as typeof columns;
  const { providerId, calendarProvider, externalCalendarId, status, tokenVersion } = connections;
  return db
    .with(taken)
    .select({
      effect,
      claimedAt: taken.claimedAt,
      intent: bookingIntents,
      connection: { providerId, calendarProvider, externalCalendarId },
      credentials: { status, tokenVersion, ...credentialColumns },
    })
    .from(taken)
    .innerJoin(bookingIntents, eq(bookingIntents.bookingId, taken.bookingId))
    .innerJoin(connections, eq(connections.id, taken.connectionId))
    .prepare('claim_effect');
});

async function readIntent(db: Database, bookingId: string) {
  const [intent] = await db.select().from(bookingIntents).where(eq(bookingIntents.bookingId, bookingId));
  if (intent === undefined) throw new Error('a booking was claimed without its intent');
  return intent;
}

export interface EffectLease {
  readonly bookingId: string;
  readonly connectionId: string;
  readonly token: number;
}

/** Whether the lease is still this one. */
export function isHeld(lease: EffectLease) {
  return and(
    eq(bookingEffects.bookingId, lease.bookingId),
    eq(bookingEffects.connectionId, lease.connectionId),
    eq(bookingEffects.leaseToken, lease.token),
  );
}

/** The same of a statement that is prepared once. */
export const isHeldAsGiven = and(
  eq(bookingEffects.bookingId, given('bookingId')),
  eq(bookingEffects.connectionId, given('connectionId')),
  eq(bookingEffects.leaseToken, given('token')),
);

/**
 * Takes the connection before the bookings that a statement changes, as a reconnect does, and as part of the statement: a
 * write is recorded in one. It depends on no row of theirs, so that PostgreSQL asks it before it locks any.
 */
export function isConnectionHeld(connectionId: unknown) {
  return sql`EXISTS (SELECT FROM external_calendar_connections h WHERE h.id = ${connectionId}::uuid FOR KEY SHARE)`;
}

/** Late writers of earlier generations than these are not reckoned with. */
const FORMER_KEYS_KEPT = 6;

/** Notes, before the call, under which key and generation the event will be created. Throws `LeaseLostError`. */
export async function noteCreation(
  db: Database,
  lease: EffectLease,
  creation: { generation: number; creationKey: string },
): Promise<void> {
  const noted = await creationNote(db).execute({ ...lease, ...creation });
  if (noted.length === 0) throw new LeaseLostError('the booking');
}

const creationNote = hotStatement((db) =>
  db
    .update(bookingEffects)
    .set({
      generation: sql`${given('generation')}`,
      creationKey: sql`${given('creationKey')}`,
      formerKeys: sql`CASE WHEN ${bookingEffects.creationKey} <> ${given('creationKey')}
        THEN (array_prepend(${bookingEffects.creationKey}, ${bookingEffects.formerKeys}))[1:${FORMER_KEYS_KEPT}::int]
        ELSE ${bookingEffects.formerKeys} END`,
      externalEventId: null,
      etag: null,
      adopted: null,
    })
    .where(isHeldAsGiven)
    .returning({ id: bookingEffects.bookingId })
    .prepare('note_creation'),
);

/**
 * Keeps the lease for another while; throws `LeaseLostError` when it is gone. One that was given back stays so: a renewal
 * on its way beside the last record would keep everybody from the booking for a lease's length.
 */
export async function extendEffectLease(db: Database, lease: EffectLease & { leaseMs: number }): Promise<void> {
  const kept = await db
    .update(bookingEffects)
    .set({ leaseUntil: unlessGivenBack(bookingEffects.leaseUntil, lease.leaseMs) })
    .where(isHeld(lease))
    .returning({ id: bookingEffects.bookingId });
  if (kept.length === 0) throw new LeaseLostError('the booking');
}

/** Gives the lease back unused. */
export async function releaseEffectLease(db: Database, lease: EffectLease): Promise<void> {
  await db.update(bookingEffects).set({ leaseOwner: null, leaseUntil: null }).where(isHeld(lease));
}
