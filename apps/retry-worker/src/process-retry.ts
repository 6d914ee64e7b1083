import { findConnection, type UpkeepSettings } from '@bookiji/db';
import { type FlagBoard, findObstacle } from '@bookiji/flags';
import type { Metrics } from '@bookiji/observability';
import { ProviderError } from '@bookiji/providers/contract';
import { type QueueSystem, retryJob, ringInboundSyncs } from '@bookiji/queues';
import { keepChannel } from '@bookiji/sync';
import { auditOf } from './audit-connection.ts';
import { type DisconnectWishDeps, disconnectAsWished } from './disconnect-connection.ts';

export interface RetryDeps extends DisconnectWishDeps {
  readonly flags: FlagBoard;
  readonly queues: QueueSystem;
  readonly metrics: Metrics;
  readonly channelSecrets: readonly string[];
  readonly upkeep: UpkeepSettings;
  readonly auditIntervalSeconds: number;
}

/** Audits, channel upkeep and disconnects, one connection per job. A sweep finds again what fails. */
export function createRetryProcessor(deps: RetryDeps) {
  return async (data: unknown, signal: AbortSignal): Promise<string> => {
    const job = retryJob.parse(data);
    switch (job.task) {
      case 'audit':
        return auditOf(deps, job.connection_id, signal);
      case 'keep_channel':
        return keepChannelOf(deps, job.connection_id, signal);
      case 'disconnect':
        return disconnectAsWished(deps, job.connection_id);
    }
  };
}

async function keepChannelOf(deps: RetryDeps, connectionId: string, signal: AbortSignal): Promise<string> {
  const { db, flags, logger } = deps;
  const connection = await findConnection(db, connectionId);
  if (connection === null || connection.status !== 'active') return 'nothing_due';
  const { providerId, calendarProvider } = connection;
  if (findObstacle(flags, { providerId, connectionId, calendarProvider }) !== null) return 'parked';
  const startedAt = performance.now();
  const base = { connection_id: connectionId, calendar_provider: calendarProvider };
  try {
    const outcome = await keepChannel(
      {
        db,
        port: deps.openCalendar(connection),
        secrets: deps.channelSecrets,
        notificationUrl: `${deps.publicBaseUrl}/api/webhooks/calendar/${calendarProvider}`,
        ...deps.upkeep,
      },
      connection,
      signal,
    );
    logger.info({ ...base, outcome, duration_ms: Math.round(performance.now() - startedAt) }, 'channel looked after');
    if (outcome === 'opened' || outcome === 'replaced' || outcome === 'silent') {
      await ringInboundSyncs(deps.queues, [connectionId]).catch(() => deps.metrics.ringsLost.inc());
    }
    return outcome;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    logger.warn({ ...base, outcome: 'failed', err: error }, 'channel could not be kept; polling goes on');
    return 'failed';
  }
}
