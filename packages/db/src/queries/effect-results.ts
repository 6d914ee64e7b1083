/** What is recorded of an attempt to write one booking into one calendar, and only while its lease is held. */
import { and, eq, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { hotStatement } from '../hot-statement.ts';
import { bookingEffects, connections, type LastError } from '../schema/index.ts';
import {
  type MappedEvent,
  type MappingRow,
  mappingValues,
  markMappingFailed,
  putMapping,
  storeFailedMapping,
  storeMapping,
} from './booking-mappings.ts';
import { type EffectLease, isConnectionHeld, isHeld, isHeldAsGiven } from './effect-leases.ts';
import { LeaseLostError } from './sync-leases.ts';

const given = sql.placeholder;

export interface EffectSuccess extends MappedEvent {
  readonly appliedVersion: number;
  readonly inspected: number;
  readonly etag: string | null;
  readonly generation: number;
  readonly writtenStart: Date | null;
  readonly writtenEnd: Date | null;
  /** Null leaves the mapping as it is: nothing was written. */
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
      // A claim carries the newest intent, whose acceptance may have missed an effect that was made at the same time.
      version: sql`greatest(${bookingEffects.version}, ${given('appliedVersion')}::bigint)`,
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
    .where(and(isConnectionHeld(given('connectionId')), isHeldAsGiven))
    .returning({
      workAgain: sql<boolean>`${bookingEffects.appliedVersion} < ${bookingEffects.version}
                              OR ${bookingEffects.inspected} < ${bookingEffects.inspectRequested}`.as('work_again'),
      recordedAt: sql<Date>`now()`.mapWith(bookingEffects.updatedAt).as('recorded_at'),
    });
}

function isEventKnown(error: unknown): boolean {
  const { code, constraint_name: constraint } = ((error as { cause?: unknown }).cause ?? {}) as Record<string, unknown>;
  return code === '23505' && constraint === 'external_calendar_events_event_key';
}

export interface EffectFailure extends EffectLease {
  readonly error: LastError;
  readonly waitMs: number;
  readonly countsAsError: boolean;
  /** Stop trying: attempts that cannot succeed. */
  readonly dead: boolean;
  /** The calendar does not show the newest version, and the mapping says so; a read that failed has changed nothing. */
  readonly isBehind: boolean;
  /** The mapping to be made where there is none yet; null where none shall be: what was never there need not be removed. */
  readonly mapping: Omit<MappingRow, 'status'> | null;
}

/** Records a failed attempt and gives the lease back; false when the lease was lost. Several statements: call it in a transaction. */
export async function recordEffectFailure(tx: Database, failure: EffectFailure): Promise<boolean> {
  // The connection before its booking, as a reconnect takes them; a mapping asks for it anyway.
  await tx
    .select({ id: connections.id })
    .from(connections)
    .where(eq(connections.id, failure.connectionId))
    .for('key share');
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
  if (failure.countsAsError && failure.isBehind) await showFailure(tx, failure, row.externalEventId);
  return true;
}

async function showFailure(tx: Database, failure: EffectFailure, externalEventId: string | null): Promise<void> {
  if (failure.mapping === null) await markMappingFailed(tx, failure);
  else await storeFailedMapping(tx, failure, failure.mapping, externalEventId);
}
