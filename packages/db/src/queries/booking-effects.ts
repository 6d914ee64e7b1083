/**
 * One booking in one connection's calendar: the lease to write it, and the record of what was written. The same rules
 * as for syncs hold: the database's clock, a token that only grows, results only against the newest token.
 */
import { and, eq, getTableColumns, inArray, or, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { hotStatement } from '../hot-statement.ts';
import {
  type BookingDetails,
  type BookingEffect,
  bookingEffects,
  bookingIntents,
  connections,
  events,
  type LastError,
} from '../schema/index.ts';
import { type Allowlists, LeaseLostError } from './sync-leases.ts';

/** What one claim sees: the effect, the newest intent, and whose calendar it goes to. */
export interface EffectClaim {
  readonly effect: BookingEffect;
  readonly token: number;
  readonly providerId: string;
  readonly calendarProvider: 'google' | 'microsoft';
  readonly externalCalendarId: string;
  readonly desired: {
    readonly version: number;
    readonly state: 'live' | 'cancelled';
    readonly startAt: Date | null;
    readonly endAt: Date | null;
    readonly details: BookingDetails | null;
  };
  /** True when an earlier claim may have created the event without recording it. */
  readonly wasTriedBefore: boolean;
  readonly claimedAt: Date;
}

const given = sql.placeholder;
const hasWork = sql`(e.applied_version < e.version OR e.inspected < e.inspect_requested)`;
const isFree = sql`(e.lease_until IS NULL OR e.lease_until <= now())`;

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
    desired: {
      version: intent.version,
      state: intent.state,
      startAt: intent.startTime,
      endAt: intent.endTime,
      details: intent.details,
    },
    wasTriedBefore: effect.leaseToken > 1,
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
  const { providerId, calendarProvider, externalCalendarId } = connections;
  return db
    .with(taken)
    .select({
      effect,
      claimedAt: taken.claimedAt,
      intent: bookingIntents,
      connection: { providerId, calendarProvider, externalCalendarId },
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

interface EffectLease {
  readonly bookingId: string;
  readonly connectionId: string;
  readonly token: number;
}

function isHeld(lease: EffectLease) {
  return and(
    eq(bookingEffects.bookingId, lease.bookingId),
    eq(bookingEffects.connectionId, lease.connectionId),
    eq(bookingEffects.leaseToken, lease.token),
  );
}

const isHeldAsGiven = and(
  eq(bookingEffects.bookingId, given('bookingId')),
  eq(bookingEffects.connectionId, given('connectionId')),
  eq(bookingEffects.leaseToken, given('token')),
);

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
    })
    .where(isHeldAsGiven)
    .returning({ id: bookingEffects.bookingId })
    .prepare('note_creation'),
);

/** Keeps the lease for another while; throws `LeaseLostError` when it is gone. */
export async function extendEffectLease(db: Database, lease: EffectLease & { leaseMs: number }): Promise<void> {
  const kept = await db
    .update(bookingEffects)
    .set({ leaseUntil: sql`now() + ${lease.leaseMs} * interval '1 millisecond'` })
    .where(isHeld(lease))
    .returning({ id: bookingEffects.bookingId });
  if (kept.length === 0) throw new LeaseLostError('the booking');
}

/** The mapping as others see it in `external_calendar_events`. */
export interface MappingRow {
  readonly providerId: string;
  readonly calendarProvider: 'google' | 'microsoft';
  readonly icalUid: string;
  readonly startAt: Date;
  readonly endAt: Date;
  readonly checksum: string;
  readonly status: 'CREATED' | 'UPDATED' | 'CANCELLED';
}

export interface EffectSuccess extends EffectLease {
  readonly appliedVersion: number;
  readonly inspected: number;
  readonly externalEventId: string | null;
  /** The event that was just deleted: a cancelled mapping goes on saying which one it was. */
  readonly deletedEventId: string | null;
  readonly etag: string | null;
  readonly generation: number;
  readonly writtenStart: Date | null;
  readonly writtenEnd: Date | null;
  /** Null leaves the mapping as it is (nothing was written, or the booking never reached the calendar). */
  readonly mapping: MappingRow | null;
}

/**
 * Records what the calendar now holds, mapping and effect together, and gives the lease back.
 *
 * @returns whether a newer version, or another read, is already asked for.
 * @throws LeaseLostError; nothing is recorded then.
 */
export async function recordEffectSuccess(db: Database, done: EffectSuccess): Promise<Recorded> {
  try {
    return await recordTogether(db, done);
  } catch (error) {
    if (done.mapping === null || !isEventKnown(error)) throw error;
    return recordOverEcho(db, done);
  }
}

/** Effect and mapping in one statement: each round trip counts, as this is done for every write. */
async function recordTogether(db: Database, done: EffectSuccess): Promise<Recorded> {
  const { mapping } = done;
  const record = mapping === null ? effectRecord(db) : fullRecord(db);
  const [row] = await record.execute({
    ...effectValues(done),
    ...(mapping === null ? {} : mappingValues(done, mapping)),
  });
  if (row === undefined) throw new LeaseLostError('the booking');
  return row;
}

const effectRecord = hotStatement((db) => updateEffect(db).prepare('record_effect'));

const fullRecord = hotStatement((db) => {
  const effect = db.$with('effect').as(updateEffect(db));
  return db
    .with(effect, putMapping(db))
    .select({ workAgain: effect.workAgain, recordedAt: effect.recordedAt })
    .from(effect)
    .prepare('record_effect_and_mapping');
});

/**
 * The echo was read before this record and stands as the owner's busy time; it is the booking's event, so it makes way
 * first.
 */
function recordOverEcho(db: Database, done: EffectSuccess): Promise<Recorded> {
  return db.transaction(async (tx) => {
    const [row] = await effectRecord(tx).execute(effectValues(done));
    if (row === undefined) throw new LeaseLostError('the booking');
    if (done.mapping !== null) await storeMapping(tx, done, done.mapping);
    return row;
  });
}

interface Recorded {
  readonly workAgain: boolean;
  readonly recordedAt: Date;
}

function effectValues({ mapping, deletedEventId, ...done }: EffectSuccess) {
  const { writtenStart, writtenEnd } = done;
  return {
    ...done,
    writtenStart: writtenStart?.toISOString() ?? null,
    writtenEnd: writtenEnd?.toISOString() ?? null,
  };
}

function updateEffect(db: Database) {
  return db
    .update(bookingEffects)
    .set({
      // A late recorder can only hold an older token, but the version must never go down even so.
      appliedVersion: sql`greatest(${bookingEffects.appliedVersion}, ${given('appliedVersion')}::bigint)`,
      inspected: sql`greatest(${bookingEffects.inspected}, ${given('inspected')}::bigint)`,
      externalEventId: sql`${given('externalEventId')}`,
      etag: sql`${given('etag')}`,
      generation: sql`${given('generation')}`,
      writtenStart: sql`${given('writtenStart')}`,
      writtenEnd: sql`${given('writtenEnd')}`,
      errorCount: 0,
      lastError: null,
      leaseOwner: null,
      leaseUntil: null,
      updatedAt: sql`now()`,
    })
    .where(isHeldAsGiven)
    .returning({
      workAgain: sql<boolean>`${bookingEffects.appliedVersion} < ${bookingEffects.version}
                              OR ${bookingEffects.inspected} < ${bookingEffects.inspectRequested}`.as('work_again'),
      recordedAt: sql<Date>`now()`.mapWith(bookingEffects.updatedAt).as('recorded_at'),
    });
}

function mappingValues({ externalEventId, deletedEventId }: EffectSuccess, mapping: MappingRow) {
  return {
    ...mapping,
    mappedEventId: externalEventId ?? deletedEventId,
    startAt: mapping.startAt.toISOString(),
    endAt: mapping.endAt.toISOString(),
    isBusy: mapping.status !== 'CANCELLED',
  };
}

/** Only where the statement's `effect` found the lease still held. */
function putMapping(db: Database) {
  return db.$with('mapping', {}).as(sql`
    INSERT INTO external_calendar_events AS m
           (connection_id, provider_id, calendar_provider, external_event_id, ical_uid, start_time, end_time, is_busy,
            checksum, booking_id, sync_status)
    SELECT ${given('connectionId')}::uuid, ${given('providerId')}::uuid, ${given('calendarProvider')}::text,
           ${given('mappedEventId')}::text, ${given('icalUid')}::text, ${given('startAt')}::timestamptz,
           ${given('endAt')}::timestamptz, ${given('isBusy')}::boolean, ${given('checksum')}::text,
           ${given('bookingId')}::uuid, ${given('status')}::text
      FROM effect
    ON CONFLICT (booking_id, calendar_provider) WHERE booking_id IS NOT NULL DO UPDATE
       SET connection_id = excluded.connection_id,
           external_event_id = coalesce(excluded.external_event_id, m.external_event_id),
           ical_uid = excluded.ical_uid, start_time = excluded.start_time, end_time = excluded.end_time,
           is_busy = excluded.is_busy, checksum = excluded.checksum, sync_status = excluded.sync_status,
           last_error = NULL, updated_at = now()
    RETURNING 1`);
}

function isEventKnown(error: unknown): boolean {
  const { code, constraint_name: constraint } = ((error as { cause?: unknown }).cause ?? {}) as Record<string, unknown>;
  return code === '23505' && constraint === 'external_calendar_events_event_key';
}

async function storeMapping(tx: Database, lease: EffectSuccess, mapping: MappingRow): Promise<void> {
  const externalEventId = lease.externalEventId ?? lease.deletedEventId;
  if (externalEventId !== null) {
    // The echo may have been read before this record; what it left is the booking's event, not the owner's time.
    await tx
      .delete(events)
      .where(
        and(
          eq(events.providerId, mapping.providerId),
          eq(events.calendarProvider, mapping.calendarProvider),
          eq(events.externalEventId, externalEventId),
          sql`${events.bookingId} IS DISTINCT FROM ${lease.bookingId}::uuid`,
        ),
      );
  }
  const isBusy = mapping.status !== 'CANCELLED';
  await tx
    .insert(events)
    .values({
      connectionId: lease.connectionId,
      providerId: mapping.providerId,
      calendarProvider: mapping.calendarProvider,
      externalEventId,
      icalUid: mapping.icalUid,
      startTime: mapping.startAt,
      endTime: mapping.endAt,
      isBusy,
      checksum: mapping.checksum,
      bookingId: lease.bookingId,
      syncStatus: mapping.status,
    })
    .onConflictDoUpdate({
      target: [events.bookingId, events.calendarProvider],
      targetWhere: sql`booking_id IS NOT NULL`,
      set: {
        connectionId: lease.connectionId,
        externalEventId: sql`coalesce(excluded.external_event_id, external_calendar_events.external_event_id)`,
        icalUid: mapping.icalUid,
        startTime: mapping.startAt,
        endTime: mapping.endAt,
        isBusy,
        checksum: mapping.checksum,
        syncStatus: mapping.status,
        lastError: null,
        updatedAt: sql`now()`,
      },
    });
}

export interface EffectFailure extends EffectLease {
  readonly error: LastError;
  readonly waitMs: number;
  readonly countsAsError: boolean;
  /** Stop trying: attempts that cannot succeed. */
  readonly dead: boolean;
  /** Shown on the mapping when it can be shown at all. */
  readonly mapping: Omit<MappingRow, 'status'> | null;
}

/** Records a failed attempt and gives the lease back; false when the lease was lost. */
export async function recordEffectFailure(db: Database, failure: EffectFailure): Promise<boolean> {
  return db.transaction(async (tx) => {
    const [row] = await tx
      .update(bookingEffects)
      .set({
        lastError: failure.error,
        nextAttemptAt: sql`now() + ${failure.waitMs} * interval '1 millisecond'`,
        leaseOwner: null,
        leaseUntil: null,
        updatedAt: sql`now()`,
        ...(failure.countsAsError ? { errorCount: sql`${bookingEffects.errorCount} + 1` } : {}),
        ...(failure.dead ? { deadAt: sql`now()` } : {}),
      })
      .where(isHeld(failure))
      .returning({ externalEventId: bookingEffects.externalEventId });
    if (row === undefined) return false;
    if (failure.countsAsError && failure.mapping !== null) {
      await storeFailedMapping(tx, failure, failure.mapping, row.externalEventId);
    }
    return true;
  });
}

async function storeFailedMapping(
  tx: Database,
  failure: EffectFailure,
  mapping: Omit<MappingRow, 'status'>,
  externalEventId: string | null,
): Promise<void> {
  await tx
    .insert(events)
    .values({
      connectionId: failure.connectionId,
      providerId: mapping.providerId,
      calendarProvider: mapping.calendarProvider,
      externalEventId,
      icalUid: mapping.icalUid,
      startTime: mapping.startAt,
      endTime: mapping.endAt,
      isBusy: true,
      checksum: mapping.checksum,
      bookingId: failure.bookingId,
      syncStatus: 'FAILED',
      lastError: failure.error,
    })
    .onConflictDoUpdate({
      target: [events.bookingId, events.calendarProvider],
      targetWhere: sql`booking_id IS NOT NULL`,
      set: { syncStatus: 'FAILED', lastError: failure.error, updatedAt: sql`now()` },
    });
}

/** Gives the lease back unused. */
export async function releaseEffectLease(db: Database, lease: EffectLease): Promise<void> {
  await db.update(bookingEffects).set({ leaseOwner: null, leaseUntil: null }).where(isHeld(lease));
}

export interface DueEffect {
  readonly bookingId: string;
  readonly connectionId: string;
}

/** Effects with work whose wait is over and that nobody holds, in connections that are active and allowed. */
export async function findDueEffects(db: Database, allow: Allowlists, limit: number): Promise<DueEffect[]> {
  const rows = await db.execute<{ booking_id: string; connection_id: string }>(sql`
    SELECT e.booking_id, e.connection_id
      FROM booking_effects e JOIN external_calendar_connections c ON c.id = e.connection_id
     WHERE ${hasWork} AND e.dead_at IS NULL AND e.next_attempt_at <= now() AND ${isFree}
       AND c.status = 'active' AND c.sync_enabled
       AND (${jsonList(allow.providerIds)}::text IS NULL OR ${jsonList(allow.providerIds)}::text::jsonb ? c.provider_id::text)
       AND (${jsonList(allow.connectionIds)}::text IS NULL OR ${jsonList(allow.connectionIds)}::text::jsonb ? c.id::text)
       AND NOT ${jsonList(allow.calendarProvidersOff ?? [])}::text::jsonb ? c.calendar_provider
       AND NOT ${jsonList(allow.connectionIdsOff ?? [])}::text::jsonb ? c.id::text
     ORDER BY e.next_attempt_at LIMIT ${limit}`);
  return rows.map((row) => ({ bookingId: row.booking_id, connectionId: row.connection_id }));
}

function jsonList(ids: readonly string[] | null): string | null {
  return ids === null ? null : JSON.stringify(ids);
}

/** How inbound recognises a booking's own event in the feed. */
export interface KnownEffect {
  readonly bookingId: string;
  readonly generation: number;
  readonly externalEventId: string | null;
  readonly creationKey: string | null;
  /** The keys of earlier generations: a late writer may still create an event under one of them. */
  readonly formerKeys: readonly string[];
  readonly etag: string | null;
  readonly writtenStart: Date | null;
  readonly writtenEnd: Date | null;
  readonly desiredStart: Date | null;
  readonly desiredEnd: Date | null;
  readonly state: 'live' | 'cancelled';
  readonly leaseHeld: boolean;
}

/** The effects of this connection among these event ids, creation keys and (from markers) bookings. */
export async function findKnownEffects(
  db: Database,
  connectionId: string,
  eventIds: readonly string[],
  creationKeys: readonly string[],
  bookingIds: readonly string[],
): Promise<KnownEffect[]> {
  if (eventIds.length === 0 && creationKeys.length === 0 && bookingIds.length === 0) return [];
  return knownEffects(db).execute({
    connectionId,
    ids: JSON.stringify([...eventIds, ...creationKeys]),
    creationKeys: JSON.stringify(creationKeys),
    bookingIds: JSON.stringify(bookingIds),
  });
}

const knownEffects = hotStatement((db) => {
  const anyOf = (name: string) => sql`(SELECT jsonb_array_elements_text(${given(name)}::text::jsonb))`;
  return db
    .select({
      bookingId: bookingEffects.bookingId,
      generation: bookingEffects.generation,
      externalEventId: bookingEffects.externalEventId,
      creationKey: bookingEffects.creationKey,
      formerKeys: bookingEffects.formerKeys,
      etag: bookingEffects.etag,
      writtenStart: bookingEffects.writtenStart,
      writtenEnd: bookingEffects.writtenEnd,
      desiredStart: bookingIntents.startTime,
      desiredEnd: bookingIntents.endTime,
      state: bookingIntents.state,
      leaseHeld: sql<boolean>`coalesce(${bookingEffects.leaseUntil} > now(), false)`,
    })
    .from(bookingEffects)
    .innerJoin(bookingIntents, eq(bookingIntents.bookingId, bookingEffects.bookingId))
    .where(
      and(
        eq(bookingEffects.connectionId, given('connectionId')),
        or(
          sql`${bookingEffects.externalEventId} IN ${anyOf('ids')}`,
          sql`${bookingEffects.creationKey} IN ${anyOf('ids')}`,
          sql`${bookingEffects.formerKeys} && ARRAY${anyOf('creationKeys')}`,
          sql`${bookingEffects.bookingId}::text IN ${anyOf('bookingIds')}`,
        ),
      ),
    )
    .prepare('find_known_effects');
});

/** Asks for a read of these bookings' events: the feed hinted that their owner touched them. */
export async function requestInspection(
  db: Database,
  connectionId: string,
  bookingIds: readonly string[],
): Promise<void> {
  if (bookingIds.length === 0) return;
  await db
    .update(bookingEffects)
    .set({ inspectRequested: sql`${bookingEffects.inspectRequested} + 1`, nextAttemptAt: sql`now()` })
    .where(
      and(eq(bookingEffects.connectionId, connectionId), inArray(bookingEffects.bookingId, [...bookingIds].sort())),
    );
}

/** Makes a dead effect due again; false when there is no such dead effect. */
export async function reviveEffect(db: Database, bookingId: string, connectionId: string): Promise<boolean> {
  const revived = await db
    .update(bookingEffects)
    .set({ deadAt: null, errorCount: 0, nextAttemptAt: sql`now()` })
    .where(
      and(
        eq(bookingEffects.bookingId, bookingId),
        eq(bookingEffects.connectionId, connectionId),
        sql`${bookingEffects.deadAt} IS NOT NULL`,
      ),
    )
    .returning({ id: bookingEffects.bookingId });
  return revived.length > 0;
}

/** Lets every waiting booking of a connection be tried again now: a person's wish does not wait. Returns their ids. */
export async function hastenBookings(db: Database, connectionId: string): Promise<string[]> {
  const hastened = await db
    .update(bookingEffects)
    .set({ nextAttemptAt: sql`now()` })
    .where(
      and(
        eq(bookingEffects.connectionId, connectionId),
        sql`${bookingEffects.appliedVersion} < ${bookingEffects.version}`,
        sql`${bookingEffects.deadAt} IS NULL`,
      ),
    )
    .returning({ bookingId: bookingEffects.bookingId });
  return hastened.map((row) => row.bookingId);
}
