/** The statements about bookings and their effects, said in memory: each means what the SQL of `@bookiji/db` means. */
import {
  type AcceptedBooking,
  type BookingEffect,
  type BookingIntent,
  type DeadLetter,
  type DueEffect,
  type EffectClaim,
  type EffectFailure,
  type EffectSuccess,
  type ExternalChange,
  type KnownEffect,
  LeaseLostError,
  type MappingRow,
  type ObservedChange,
} from '@bookiji/db';
import type { ModelDatabase, StatementContext } from './model-database.ts';
import { type EventRow, effectKey } from './tables.ts';

interface Lease {
  readonly bookingId: string;
  readonly connectionId: string;
  readonly token: number;
}

export function acceptBookingIntent(db: ModelDatabase, intent: BookingIntent): Promise<AcceptedBooking> {
  return db.run('accept_booking', (context) => {
    const { tables, now } = context;
    const held = tables.intents.get(intent.bookingId);
    if (held !== undefined && held.version >= intent.version) return { accepted: false };
    tables.intents.set(intent.bookingId, {
      ...intent,
      providerId: held?.providerId ?? intent.providerId,
      startAt: intent.startAt ?? held?.startAt ?? null,
      endAt: intent.endAt ?? held?.endAt ?? null,
      details: intent.details ?? held?.details ?? null,
      receivedAt: now,
    });
    const providerId = held?.providerId ?? intent.providerId;
    // A disabled one gets no new effect, but what it has is raised.
    const connections = [...tables.connections.values()].filter(
      (connection) =>
        connection.providerId === providerId &&
        (connection.status !== 'disabled' || tables.effects.has(effectKey(intent.bookingId, connection.id))),
    );
    return {
      accepted: true,
      connectionIds: connections.flatMap(({ id }) => (raiseVersion(context, intent, id) ? [id] : [])),
    };
  });
}

function raiseVersion({ tables, now }: StatementContext, intent: BookingIntent, connectionId: string): boolean {
  const key = effectKey(intent.bookingId, connectionId);
  const held = tables.effects.get(key);
  if (held !== undefined && held.version >= intent.version) return false;
  const raised = {
    version: intent.version,
    receivedAt: now,
    nextAttemptAt: now,
    deadAt: null,
    errorCount: 0,
    updatedAt: now,
  };
  tables.effects.set(key, { ...(held ?? newEffect(intent.bookingId, connectionId, now)), ...raised });
  return true;
}

function newEffect(bookingId: string, connectionId: string, now: Date): BookingEffect {
  return {
    bookingId,
    connectionId,
    version: 0,
    appliedVersion: 0,
    generation: 0,
    creationKey: null,
    adopted: null,
    formerKeys: [],
    externalEventId: null,
    etag: null,
    writtenStart: null,
    writtenEnd: null,
    inspectRequested: 0,
    inspected: 0,
    leaseOwner: null,
    leaseToken: 0,
    leaseUntil: null,
    nextAttemptAt: now,
    errorCount: 0,
    lastError: null,
    deadAt: null,
    receivedAt: now,
    updatedAt: now,
  };
}

function isDue({ tables, now }: StatementContext, effect: BookingEffect): boolean {
  const connection = tables.connections.get(effect.connectionId);
  return (
    (effect.appliedVersion < effect.version || effect.inspected < effect.inspectRequested) &&
    effect.deadAt === null &&
    effect.nextAttemptAt <= now &&
    (effect.leaseUntil === null || effect.leaseUntil <= now) &&
    connection?.status === 'active' &&
    connection.syncEnabled
  );
}

/** Takes the lease, then reads what it is for: two statements, as in the real one. */
export async function claimEffect(
  db: ModelDatabase,
  claim: { bookingId: string; connectionId: string; owner: string; leaseMs: number },
): Promise<EffectClaim | null> {
  const key = effectKey(claim.bookingId, claim.connectionId);
  const taken = await db.run('take_booking_lease', (context) => {
    const effect = context.tables.effects.get(key);
    if (effect === undefined || !isDue(context, effect)) return null;
    context.tables.effects.set(key, {
      ...effect,
      leaseOwner: claim.owner,
      leaseToken: effect.leaseToken + 1,
      leaseUntil: new Date(context.now.getTime() + claim.leaseMs),
    });
    return { token: effect.leaseToken + 1, claimedAt: context.now };
  });
  if (taken === null) return null;
  return db.run('read_booking_claim', (context) => {
    const { tables } = context;
    const effect = findHeld(context, { ...claim, token: taken.token });
    const intent = tables.intents.get(claim.bookingId);
    const connection = tables.connections.get(claim.connectionId);
    if (effect === null || intent === undefined || connection === undefined) return null;
    const { version, state, startAt, endAt, details } = intent;
    const { calendarProvider, status, tokenVersion } = connection;
    const grant = { accessTokenSealed: null, refreshTokenSealed: null, tokenVersion, expiresInSeconds: null };
    return {
      effect,
      token: taken.token,
      providerId: connection.providerId,
      calendarProvider,
      externalCalendarId: connection.externalCalendarId,
      credentials: { calendarProvider, status, ...grant },
      desired: { version, state, startAt, endAt, details },
      claimedAt: taken.claimedAt,
    };
  });
}

/** The row if the lease on it is still the one shown; else null. */
function findHeld({ tables, rules }: StatementContext, lease: Lease): BookingEffect | null {
  const effect = tables.effects.get(effectKey(lease.bookingId, lease.connectionId));
  return effect !== undefined && (!rules.isFenced || effect.leaseToken === lease.token) ? effect : null;
}

function change(context: StatementContext, lease: Lease, over: Partial<BookingEffect>): BookingEffect | null {
  const held = findHeld(context, lease);
  if (held === null) return null;
  const changed = { ...held, ...over };
  context.tables.effects.set(effectKey(lease.bookingId, lease.connectionId), changed);
  return changed;
}

function mustChange(context: StatementContext, lease: Lease, over: Partial<BookingEffect>): BookingEffect {
  const changed = change(context, lease, over);
  if (changed === null) throw new LeaseLostError('the booking');
  return changed;
}

export async function noteCreation(
  db: ModelDatabase,
  lease: Lease,
  creation: { generation: number; creationKey: string },
): Promise<void> {
  await db.run('note_creation', (context) => {
    const held = findHeld(context, lease);
    const isNew = held !== null && held.creationKey !== null && held.creationKey !== creation.creationKey;
    const formerKeys = isNew ? [held.creationKey as string, ...held.formerKeys].slice(0, 6) : (held?.formerKeys ?? []);
    mustChange(context, lease, { ...creation, formerKeys, externalEventId: null, etag: null, adopted: null });
  });
}

export async function extendEffectLease(db: ModelDatabase, lease: Lease & { leaseMs: number }): Promise<void> {
  await db.run('extend_booking_lease', (context) =>
    mustChange(context, lease, { leaseUntil: new Date(context.now.getTime() + lease.leaseMs) }),
  );
}

export async function releaseEffectLease(db: ModelDatabase, lease: Lease): Promise<void> {
  await db.run('release_booking_lease', (context) => change(context, lease, { leaseOwner: null, leaseUntil: null }));
}

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
    if (failure.countsAsError && failure.mapping !== null)
      storeFailedMapping(context, failure, recorded.externalEventId);
    return true;
  });
}

function storeFailedMapping(
  { tables }: StatementContext,
  failure: EffectFailure,
  externalEventId: string | null,
): void {
  const { mapping } = failure;
  if (mapping === null) return;
  const held = tables.events.find((row) => row.bookingId === failure.bookingId);
  const { startAt, endAt, checksum } = mapping;
  const fresh = { connectionId: failure.connectionId, externalEventId, seriesId: null, bookingId: failure.bookingId };
  const row: EventRow = {
    ...(held ?? { ...fresh, startAt, endAt, checksum, isBusy: true }),
    syncStatus: 'FAILED',
    lastError: failure.error,
  };
  tables.events = [...tables.events.filter((other) => other !== held), row];
}

export function findDueEffects(db: ModelDatabase, limit: number): Promise<DueEffect[]> {
  return db.run('find_due_bookings', (context) =>
    [...context.tables.effects.values()]
      .filter((effect) => isDue(context, effect))
      .slice(0, limit)
      .map(({ bookingId, connectionId }) => ({ bookingId, connectionId })),
  );
}

export function findKnownEffects(
  db: ModelDatabase,
  connectionId: string,
  eventIds: readonly string[],
  creationKeys: readonly string[],
  bookingIds: readonly string[],
): Promise<KnownEffect[]> {
  const names = new Set([...eventIds, ...creationKeys]);
  return db.run('find_known_effects', ({ tables, now, rules }) =>
    [...tables.effects.values()]
      .filter(
        (effect) =>
          effect.connectionId === connectionId &&
          (names.has(effect.externalEventId ?? '') ||
            names.has(effect.creationKey ?? '') ||
            (rules.remembersKeys && effect.formerKeys.some((key) => creationKeys.includes(key))) ||
            bookingIds.includes(effect.bookingId)),
      )
      .map((effect) => ({
        ...effect,
        desiredStart: tables.intents.get(effect.bookingId)?.startAt ?? null,
        desiredEnd: tables.intents.get(effect.bookingId)?.endAt ?? null,
        state: tables.intents.get(effect.bookingId)?.state ?? 'live',
        leaseHeld: effect.leaseUntil !== null && effect.leaseUntil > now,
      })),
  );
}

/** No booking of the model is adopted, so none waits for a first round. */
export async function settleAdoptions(): Promise<void> {}

export async function requestInspection(
  db: ModelDatabase,
  connectionId: string,
  bookingIds: readonly string[],
): Promise<void> {
  if (bookingIds.length === 0) return;
  await db.run('request_inspection', ({ tables, now, rules }) => {
    if (!rules.heedsHints) return;
    for (const [key, effect] of tables.effects) {
      if (effect.connectionId !== connectionId || !bookingIds.includes(effect.bookingId)) continue;
      tables.effects.set(key, { ...effect, inspectRequested: effect.inspectRequested + 1, nextAttemptAt: now });
    }
  });
}

const untold = { withdrawnAt: null, settledAt: null, isReleased: false };

export function recordExternalChange(db: ModelDatabase, observed: ObservedChange): Promise<ExternalChange | null> {
  return db.run('record_external_change', ({ tables, now }) => {
    const isKnown = tables.externalChanges.some(
      (held) =>
        held.bookingId === observed.bookingId &&
        held.connectionId === observed.connectionId &&
        held.reading === observed.reading,
    );
    if (isKnown) return null;
    const changeId = `change-${tables.externalChanges.length + 1}`;
    const row: ExternalChange = { ...observed, changeId, observedAt: now, publishedAt: null, ...untold };
    tables.externalChanges = [...tables.externalChanges, row];
    return row;
  });
}

export function withdrawDeletion(
  db: ModelDatabase,
  target: { bookingId: string; connectionId: string },
): Promise<boolean> {
  return db.run('withdraw_deletion', ({ tables, now }) => {
    const isIt = (held: ExternalChange) =>
      held.bookingId === target.bookingId &&
      held.connectionId === target.connectionId &&
      held.kind === 'deleted' &&
      held.publishedAt === null &&
      held.withdrawnAt === null;
    const isThere = tables.externalChanges.some(isIt);
    tables.externalChanges = tables.externalChanges.map((held) => (isIt(held) ? { ...held, withdrawnAt: now } : held));
    return isThere;
  });
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
