import { type Database, findConnection, type UpkeepSettings } from '@bookiji/db';
import { type FlagBoard, findObstacle } from '@bookiji/flags';
import type { CalendarOpener } from '@bookiji/fleet';
import type { Logger, Metrics } from '@bookiji/observability';
import { ProviderError } from '@bookiji/providers/contract';
import { type QueueSystem, ringInboundSyncs } from '@bookiji/queues';
import { keepChannel } from '@bookiji/sync';

export interface KeepChannelJobDeps {
  readonly db: Database;
  readonly flags: FlagBoard;
  readonly queues: QueueSystem;
  readonly openCalendar: CalendarOpener;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly publicBaseUrl: string;
  readonly channelSecrets: readonly string[];
  readonly upkeep: UpkeepSettings;
}

/** The push registration of one connection looked after; a new one is followed by a look at what was announced to nobody. */
export async function processKeepChannel(
  deps: KeepChannelJobDeps,
  connectionId: string,
  signal: AbortSignal,
): Promise<string> {
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
