/** `POST /api/calendar/sync {provider_id}`: every connection of the provider is looked at now. */
import { listConnectionsOf, requestSync } from '@bookiji/db';
import { ringInboundSyncs } from '@bookiji/queues';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { IngressDeps } from '../deps.ts';
import { sendError } from '../errors.ts';

const body = z.object({ provider_id: z.guid() });

export function createManualSync(deps: IngressDeps): RequestHandler {
  return async (request, response) => {
    const parsed = body.safeParse(request.body);
    if (!parsed.success) return sendError(response, 400, 'invalid_provider_id', 'provider_id must be a UUID');
    if (!deps.flags.isOn('CALENDAR_SYNC_ENABLED'))
      return sendError(response, 403, 'sync_off', 'syncing is switched off');
    const providerId = parsed.data.provider_id.toLowerCase();
    if (!deps.flags.allows({ providerId }))
      return sendError(response, 403, 'not_allowlisted', 'this provider is not on the allowlist');
    const connections = await listConnectionsOf(deps.db, providerId);
    if (connections.length === 0)
      return sendError(response, 404, 'unknown_provider', 'this provider has no connection');
    const allowed = connections.filter(({ id }) => deps.flags.allows({ providerId, connectionId: id }));
    if (allowed.length === 0)
      return sendError(response, 403, 'not_allowlisted', 'no connection of this provider is on the allowlist');
    const queued = await requestSync(
      deps.db,
      allowed.map(({ id }) => id),
      'manual',
    );
    await ringInboundSyncs(deps.queues, queued).catch(() => deps.metrics.ringsLost.inc());
    response.status(202).json({ queued });
  };
}
