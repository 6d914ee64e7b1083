/** What the inbound side knows of our own events and tells of their owners, said in memory, as the SQL of `@bookiji/db` means it. */
import type { ExternalChange, KnownEffect, ObservedChange } from '@bookiji/db';
import type { ModelDatabase } from './model-database.ts';

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
