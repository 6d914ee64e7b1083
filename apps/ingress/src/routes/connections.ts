/** `GET /api/calendar/connections?provider_id=` and `DELETE /api/calendar/connections/{id}`. */
import { findConnection, listChannelExpiries, listConnectionsOf } from '@bookiji/db';
import { disconnectProvider } from '@bookiji/sync';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { IngressDeps } from '../deps.ts';
import { sendError } from '../errors.ts';

/** What the calendar provider is given to end channels and grant, before we go on without it. */
const DISCONNECT_WAIT_MS = 5_000;

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
    const connection = await findConnection(deps.db, id.data.toLowerCase());
    if (connection === null) return sendError(response, 404, 'unknown_connection', 'there is no such connection');
    await disconnectProvider(
      {
        db: deps.db,
        keys: deps.keys,
        oauth: deps.oauth[connection.calendarProvider],
        port: deps.openCalendar(connection),
        notificationUrl: `${deps.publicBaseUrl}/api/webhooks/calendar/${connection.calendarProvider}`,
        waitAtMostMs: DISCONNECT_WAIT_MS,
        onLeftBehind: (what, error) =>
          deps.logger.warn({ connection_id: connection.id, what, err: error }, 'left behind at disconnect'),
      },
      connection,
    );
    deps.logger.info({ connection_id: connection.id, outcome: 'disconnected' }, 'connection erased');
    response.status(204).end();
  };
}
