/** `POST /api/calendar/availability`: free time, and how far it can be relied on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { listConnectionsOf, requestSync } from '@bookiji/db';
import { ringInboundSyncs } from '@bookiji/queues';
import { answerAvailability, type Interval } from '@bookiji/sync';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { IngressDeps } from '../deps.ts';
import { sendError } from '../errors.ts';

/** How long one live sync is waited for. */
const REFRESH_WAIT_MS = 3_000;
const LOOK_EVERY_MS = 50;
const SLOTS_AT_MOST = 2_000;

const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const question = z.object({
  provider_id: z.guid(),
  slots: z
    .array(
      z
        .object({ start: instant, end: instant })
        .refine((slot) => !(slot.end <= slot.start), { path: ['end'], message: 'must be after start' }),
    )
    .max(SLOTS_AT_MOST),
  max_age_seconds: z.int().min(0).max(31_536_000).optional(),
});

export function createAvailability(deps: IngressDeps): RequestHandler {
  return async (request, response) => {
    const parsed = question.safeParse(request.body);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return sendError(
        response,
        400,
        'invalid_question',
        `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'invalid'}`,
      );
    }
    const providerId = parsed.data.provider_id.toLowerCase();
    const availability = await answerAvailability(
      deps.db,
      {
        providerId,
        slots: parsed.data.slots.map(({ start, end }) => ({ startAt: start, endAt: end })),
        maxAgeSeconds: parsed.data.max_age_seconds ?? deps.defaultMaxAgeSeconds,
      },
      (connectionIds) => refresh(deps, providerId, connectionIds),
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
async function refresh(deps: IngressDeps, providerId: string, connectionIds: readonly string[]): Promise<void> {
  if (!deps.flags.isOn('CALENDAR_SYNC_ENABLED') || !deps.flags.isOn('CALENDAR_JOBS_ENABLED')) return;
  const before = await readSyncTimes(deps, providerId);
  await requestSync(deps.db, connectionIds, 'availability');
  await ringInboundSyncs(deps.queues, connectionIds).catch(() => deps.metrics.ringsLost.inc());
  const until = performance.now() + REFRESH_WAIT_MS;
  while (performance.now() < until) {
    await sleep(LOOK_EVERY_MS);
    const now = await readSyncTimes(deps, providerId);
    if (connectionIds.every((id) => now.get(id) !== before.get(id))) return;
  }
}

async function readSyncTimes(deps: IngressDeps, providerId: string): Promise<Map<string, string>> {
  const connections = await listConnectionsOf(deps.db, providerId);
  // An error ends the wait as well: it will not get better within it.
  return new Map(connections.map((one) => [one.id, `${one.lastSyncedAt?.getTime()}:${one.errorCount}:${one.status}`]));
}
