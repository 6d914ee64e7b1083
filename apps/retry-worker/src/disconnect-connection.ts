/**
 * Carrying out a wish to disconnect, an operator's or the booking service's: ops has no key to the calendar, and
 * ingress cannot read the tokens.
 */
import { type Database, findConnection, isDisconnecting } from '@bookiji/db';
import type { CalendarOpener } from '@bookiji/fleet';
import type { Logger } from '@bookiji/observability';
import type { CalendarProvider, OAuthPort } from '@bookiji/providers/contract';
import { disconnectProvider, type SealingKey } from '@bookiji/sync';

/** What the calendar provider is given to end channels and grant, before we go on without it. */
const WAIT_MS = 5_000;

export interface DisconnectWishDeps {
  readonly db: Database;
  readonly keys: readonly SealingKey[];
  readonly oauth: Readonly<Record<CalendarProvider, OAuthPort>>;
  readonly openCalendar: CalendarOpener;
  readonly logger: Logger;
  readonly publicBaseUrl: string;
}

/** Asked again here: its owner may have reconnected since the ring, which withdraws the wish. */
export async function disconnectAsWished(deps: DisconnectWishDeps, connectionId: string): Promise<string> {
  const connection = await findConnection(deps.db, connectionId);
  if (connection === null || !isDisconnecting(connection)) return 'nothing_due';
  const base = { connection_id: connectionId, calendar_provider: connection.calendarProvider };
  const outcome = await disconnectProvider(
    {
      db: deps.db,
      keys: deps.keys,
      oauth: deps.oauth[connection.calendarProvider],
      port: deps.openCalendar(connection),
      notificationUrl: `${deps.publicBaseUrl}/api/webhooks/calendar/${connection.calendarProvider}`,
      waitAtMostMs: WAIT_MS,
      onLeftBehind: (what, error) => deps.logger.warn({ ...base, what, err: error }, 'left behind at disconnect'),
    },
    connection,
  );
  deps.logger.info({ ...base, outcome }, outcome === 'withdrawn' ? 'connected again meanwhile' : 'connection erased');
  return outcome;
}
