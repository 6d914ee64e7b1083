/** The statements that take a booking in, said in memory: each means what the SQL of `@bookiji/db` means. */
import { type AcceptedBooking, type BookingEffect, type BookingIntent, StrangeProviderError } from '@bookiji/db';
import type { ModelDatabase, StatementContext } from './model-database.ts';
import { effectKey } from './tables.ts';

export function acceptBookingIntent(db: ModelDatabase, intent: BookingIntent): Promise<AcceptedBooking> {
  return db.run('accept_booking', (context) => {
    const { tables, now } = context;
    const held = tables.intents.get(intent.bookingId);
    if (held !== undefined && held.providerId !== intent.providerId) throw new StrangeProviderError();
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
    inspectSince: null,
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
