/** What a write came to, said in memory: each statement means what the SQL of `@bookiji/db` means. */
import { type DeadLetter, type EffectFailure, type EffectSuccess, LeaseLostError, type MappingRow } from '@bookiji/db';
import { findHeld, mustChange } from './effect-leases.ts';
import type { ModelDatabase, StatementContext } from './model-database.ts';
import type { EventRow } from './tables.ts';

export function recordEffectSuccess(
  db: ModelDatabase,
  done: EffectSuccess,
): Promise<{ workAgain: boolean; recordedAt: Date }> {
  return db.run('record_booking_success', (context) => {
    const held = findHeld(context, done);
    if (held === null) throw new LeaseLostError('the booking');
    const { externalEventId, etag, generation, writtenStart, writtenEnd } = done;
    const recorded = mustChange(context, done, {
      appliedVersion: Math.max(held.appliedVersion, done.appliedVersion),
      version: Math.max(held.version, done.appliedVersion),
      inspected: Math.max(held.inspected, done.inspected),
      ...{ externalEventId, etag, generation, writtenStart, writtenEnd },
      errorCount: 0,
      lastError: null,
      leaseOwner: null,
      leaseUntil: null,
      updatedAt: context.now,
    });
    if (done.mapping !== null) storeMapping(context, done, done.mapping);
    const workAgain = recorded.appliedVersion < recorded.version || recorded.inspected < recorded.inspectRequested;
    return { workAgain, recordedAt: context.now };
  });
}

function storeMapping({ tables }: StatementContext, done: EffectSuccess, mapping: MappingRow): void {
  const externalEventId = done.externalEventId ?? done.deletedEventId;
  if (externalEventId !== null) {
    tables.events = tables.events.filter(
      (row) => row.externalEventId !== externalEventId || row.bookingId === done.bookingId,
    );
  }
  const held = tables.events.find((row) => row.bookingId === done.bookingId);
  if (mapping.status === 'CANCELLED' && externalEventId === null && held === undefined) return;
  const row: EventRow = {
    connectionId: done.connectionId,
    externalEventId: externalEventId ?? held?.externalEventId ?? null,
    seriesId: held?.seriesId ?? null,
    bookingId: done.bookingId,
    startAt: mapping.startAt,
    endAt: mapping.endAt,
    isBusy: mapping.status !== 'CANCELLED',
    checksum: mapping.checksum,
    syncStatus: mapping.status,
    lastError: null,
  };
  tables.events = [...tables.events.filter((other) => other !== held), row];
}

export function recordEffectFailure(db: ModelDatabase, failure: EffectFailure): Promise<boolean> {
  return db.run('record_booking_failure', (context) => {
    const held = findHeld(context, failure);
    if (held === null) return false;
    const recorded = mustChange(context, failure, {
      lastError: failure.error,
      nextAttemptAt: new Date(context.now.getTime() + failure.waitMs),
      leaseOwner: null,
      leaseUntil: null,
      updatedAt: context.now,
      errorCount: held.errorCount + (failure.countsAsError ? 1 : 0),
      deadAt: failure.dead ? context.now : held.deadAt,
    });
    if (failure.countsAsError && failure.isBehind) showFailure(context, failure, recorded.externalEventId);
    return true;
  });
}

function showFailure({ tables }: StatementContext, failure: EffectFailure, externalEventId: string | null): void {
  const { mapping } = failure;
  const held = tables.events.find((row) => row.bookingId === failure.bookingId);
  const base = held ?? (mapping === null ? null : { ...freshRow(failure, mapping), externalEventId });
  if (base === null) return;
  const row: EventRow = { ...base, syncStatus: 'FAILED', lastError: failure.error };
  tables.events = [...tables.events.filter((other) => other !== held), row];
}

function freshRow(
  { connectionId, bookingId }: EffectFailure,
  { startAt, endAt, checksum }: Omit<MappingRow, 'status'>,
) {
  return { connectionId, bookingId, seriesId: null, startAt, endAt, checksum, isBusy: true };
}

export async function renameMapping(
  db: ModelDatabase,
  target: { bookingId: string; connectionId: string; externalEventId: string },
): Promise<void> {
  await db.run('rename_mapping', ({ tables }) => {
    const { bookingId, connectionId, externalEventId } = target;
    tables.events = tables.events
      .filter((row) => row.bookingId !== null || row.externalEventId !== externalEventId)
      .map((row) =>
        row.bookingId === bookingId && row.connectionId === connectionId ? { ...row, externalEventId } : row,
      );
  });
}

export function writeDeadLetter(
  db: ModelDatabase,
  letter: { kind: DeadLetter['kind']; reason: string; subject: string; payload: unknown },
): Promise<string> {
  return db.run('write_dead_letter', ({ tables }) => {
    const { kind, reason, subject } = letter;
    tables.deadLetters = [
      ...tables.deadLetters.filter((held) => held.kind !== kind || held.subject !== subject),
      { kind, reason, subject },
    ];
    return subject;
  });
}
