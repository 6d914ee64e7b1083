/** The lease on a booking's effect, said in memory: each means what the SQL of `@bookiji/db` means. */
import { type BookingEffect, type DueEffect, type EffectClaim, LeaseLostError } from '@bookiji/db';
import type { ModelDatabase, StatementContext } from './model-database.ts';
import { effectKey } from './tables.ts';

interface Lease {
  readonly bookingId: string;
  readonly connectionId: string;
  readonly token: number;
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

export function findDueEffects(db: ModelDatabase, limit: number): Promise<DueEffect[]> {
  return db.run('find_due_bookings', (context) =>
    [...context.tables.effects.values()]
      .filter((effect) => isDue(context, effect))
      .slice(0, limit)
      .map(({ bookingId, connectionId }) => ({ bookingId, connectionId })),
  );
}

/** The row if the lease on it is still the one shown; else null. */
export function findHeld({ tables, rules }: StatementContext, lease: Lease): BookingEffect | null {
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

export function mustChange(context: StatementContext, lease: Lease, over: Partial<BookingEffect>): BookingEffect {
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
  await db.run('extend_booking_lease', (context) => {
    // One that was given back stays so.
    const isGivenBack = findHeld(context, lease)?.leaseUntil === null;
    mustChange(context, lease, { leaseUntil: isGivenBack ? null : new Date(context.now.getTime() + lease.leaseMs) });
  });
}

export async function releaseEffectLease(db: ModelDatabase, lease: Lease): Promise<void> {
  await db.run('release_booking_lease', (context) => change(context, lease, { leaseOwner: null, leaseUntil: null }));
}
