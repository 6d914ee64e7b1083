/** `GET /api/calendar/connections?provider_id=` and `DELETE /api/calendar/connections/{id}`. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  eraseDisconnecting,
  findConnection,
  listChannelExpiries,
  listConnectionsOf,
  requestDisconnect,
} from '@bookiji/db';
import { ringRetry } from '@bookiji/queues';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { IngressDeps } from '../deps.ts';
import { sendError } from '../errors.ts';

/** How long a worker is waited for; it gives the calendar provider five seconds of them. */
const DISCONNECT_WAIT_MS = 8_000;
const LOOK_EVERY_MS = 50;

export function createListConnections(deps: IngressDeps): RequestHandler {
  return async (request, response) => {
    const id = z.guid().safeParse(request.query.provider_id);
    if (!id.success) return sendError(response, 400, 'invalid_provider_id', 'provider_id must be a UUID');
    const providerId = id.data.toLowerCase();
    const [connections, expiries] = await Promise.all([
      listConnectionsOf(deps.db, providerId),
      listChannelExpiries(deps.db, providerId),
    ]);
    response.json({
      connections: connections.map((one) => ({
        id: one.id,
        provider_id: one.providerId,
        calendar_provider: one.calendarProvider,
        status: one.status,
        status_reason: one.statusReason,
        last_synced_at: one.lastSyncedAt,
        sync_needed: one.syncNeeded,
        error_count: one.errorCount,
        last_error: one.lastError,
        backoff_until: one.backoffUntil,
        channel_expires_at: expiries.get(one.id) ?? null,
      })),
    });
  };
}

export function createDisconnect(deps: IngressDeps): RequestHandler {
  return async (request, response) => {
    const id = z.guid().safeParse(request.params.id);
    if (!id.success) return sendError(response, 400, 'invalid_id', 'the id of a connection is a UUID');
    const connectionId = id.data.toLowerCase();
    if (!(await requestDisconnect(deps.db, connectionId)))
      return sendError(response, 404, 'unknown_connection', 'there is no such connection');
    await ringRetry(deps.queues, [{ task: 'disconnect', connection_id: connectionId }]).catch(() =>
      deps.metrics.ringsLost.inc(),
    );
    const outcome = (await isGoneWithin(deps, connectionId, DISCONNECT_WAIT_MS)) ? 'disconnected' : 'erased';
    // Nobody came to end channels and grant: what is ours goes all the same, and they end by themselves.
    if (outcome === 'erased') await eraseDisconnecting(deps.db, connectionId);
    deps.logger.info({ connection_id: connectionId, outcome }, 'connection gone');
    response.status(204).end();
  };
}

/** The worker carries it out: this process may not read the token that a grant is revoked with. */
async function isGoneWithin(deps: IngressDeps, connectionId: string, waitMs: number): Promise<boolean> {
  const until = performance.now() + waitMs;
  while (performance.now() < until) {
    if ((await findConnection(deps.db, connectionId)) === null) return true;
    await sleep(LOOK_EVERY_MS);
  }
  return false;
}
