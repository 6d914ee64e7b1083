/** `POST /api/calendar/availability`: free time, and how far it can be relied on. */
import { type Connection, readSyncProgress, requestSync } from '@bookiji/db';
import { findObstacle } from '@bookiji/flags';
import { instantBetween, ringInboundSyncs } from '@bookiji/queues';
import { answerAvailability, type Interval } from '@bookiji/sync';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { IngressDeps } from '../deps.ts';
import { readInput } from '../read-input.ts';
import { createSyncWatch, type SyncWatch } from '../sync-watch.ts';

/** How long one live sync is waited for. */
const REFRESH_WAIT_MS = 3_000;
const SLOTS_AT_MOST = 2_000;

/** The years that both ISO 8601 and PostgreSQL write with four digits. */
const instant = instantBetween(1, 10_000);
const question = z.object({
  provider_id: z.guid(),
  slots: z
    .array(
      z
        .object({ start: instant, end: instant })
        .refine((slot) => !(slot.end < slot.start), { path: ['end'], message: 'must not be before start' }),
    )
    .max(SLOTS_AT_MOST),
  max_age_seconds: z.number().min(0).nullish(),
});

export function createAvailability(deps: IngressDeps): RequestHandler {
  const watch = createSyncWatch((connectionIds) => readSyncProgress(deps.db, connectionIds));
  return async (request, response) => {
    const asked = readInput(question, request.body, response, 'invalid_question');
    if (asked === null) return;
    const providerId = asked.provider_id.toLowerCase();
    const availability = await answerAvailability(
      deps.db,
      {
        providerId,
        slots: asked.slots.map(({ start, end }) => ({ startAt: start, endAt: end })),
        maxAgeSeconds: asked.max_age_seconds ?? deps.defaultMaxAgeSeconds,
      },
      (stale) => refresh(deps, watch, stale),
    );
    response.json({
      free: availability.free.map(toJson),
      busy: availability.busy.map(toJson),
      trusted: availability.trusted,
      evidence: availability.evidence.map(({ connectionId, lastSyncedAt, isFresh, reason }) => ({
        connection_id: connectionId,
        last_synced_at: lastSyncedAt,
        fresh: isFresh,
        reason,
      })),
    });
  };
}

function toJson({ startAt, endAt }: Interval) {
  return { start: startAt.toISOString(), end: endAt.toISOString() };
}

/** Asks the workers for one look at each and waits a bounded while for it; what is not done by then stays stale. */
async function refresh(deps: IngressDeps, watch: SyncWatch, stale: readonly Connection[]): Promise<readonly string[]> {
  const ids = stale
    .filter((one) => findObstacle(deps.flags, { ...one, connectionId: one.id }) === null)
    .map(({ id }) => id);
  if (ids.length === 0) return [];
  await requestSync(deps.db, ids, 'availability');
  await ringInboundSyncs(deps.queues, ids).catch(() => deps.metrics.ringsLost.inc());
  return watch.untilSynced(ids, REFRESH_WAIT_MS);
}
