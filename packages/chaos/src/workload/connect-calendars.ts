import { randomUUID } from 'node:crypto';
import { type CalendarProvider, type SandboxCalendar, waitUntil } from '@bookiji/local-fleet';
import type { Stage } from '../stage/open-stage.ts';

/** A provider with one connected, synced and watched calendar. */
export interface Desk {
  readonly providerId: string;
  readonly connectionId: string;
  readonly calendar: SandboxCalendar;
}

const AT_ONCE = 6;

/** Connects as many calendars as there are ids, as their owners would. */
export async function connectCalendars(
  stage: Stage,
  calendarProvider: CalendarProvider,
  providerIds: readonly string[],
): Promise<Desk[]> {
  const desks: Desk[] = new Array<Desk>(providerIds.length);
  let next = 0;
  const work = async () => {
    for (let at = next++; at < providerIds.length; at = next++) {
      desks[at] = await connectCalendar(stage, calendarProvider, providerIds[at] as string);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await waitUntil('every calendar to be synced and watched', () => areAllWatched(stage), 90_000, 250);
  return desks;
}

async function connectCalendar(stage: Stage, calendarProvider: CalendarProvider, providerId: string): Promise<Desk> {
  const calendar = { calendarProvider, email: `${providerId.slice(0, 13)}@${calendarProvider}.example` };
  await stage.sandbox.putUser({ calendar_provider: calendarProvider, email: calendar.email, time_zone: 'UTC' });
  const connectionId = await stage.ingress.connectCalendar(providerId, calendarProvider, calendar.email);
  return { providerId, connectionId, calendar };
}

/** A channel that could not be opened is tried again after a minute or two, which pass after five seconds. */
async function areAllWatched({ sql }: Stage): Promise<boolean> {
  await sql`UPDATE channels SET looked_after_at = now() - interval '2 hours', updated_at = now() - interval '2 hours'
             WHERE state IN ('registering', 'failed') AND looked_after_at BETWEEN now() - interval '1 hour' AND now() - interval '5 seconds'`;
  const [row] = await sql<{ missing: number }[]>`
    SELECT count(*)::int AS missing FROM external_calendar_connections c
     WHERE last_synced_at IS NULL OR requested > applied
        OR NOT EXISTS (SELECT FROM channels WHERE connection_id = c.id AND state = 'active')`;
  return row?.missing === 0;
}

export function newProviderIds(count: number): string[] {
  return Array.from({ length: count }, () => randomUUID());
}
