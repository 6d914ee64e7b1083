import type { calendar_v3 } from '@googleapis/calendar';
import type { CalendarAdapter, CalendarDescription, CalendarPort, CalendarSession } from '../contract/index.ts';
import { callGoogle, openClient } from './call-google.ts';
import { closeChannel, openChannel, renewChannel } from './channels.ts';
import { listChanges } from './list-changes.ts';
import { createEvent, deleteEvent, getEvent, updateEvent } from './write-event.ts';

export interface GoogleAdapterOptions {
  /** Ends before `/calendar/v3`. */
  readonly apiBaseUrl: string;
}

/** Google Calendar v3 as a calendar port. One client serves all connections; tokens travel with each call. */
export function createGoogleAdapter(options: GoogleAdapterOptions): CalendarAdapter {
  const client = openClient(options.apiBaseUrl);
  return { calendarProvider: 'google', open: (session) => openPort(client, session) };
}

function openPort(client: calendar_v3.Calendar, session: CalendarSession): CalendarPort {
  return {
    calendarProvider: 'google',
    listChanges: (request, signal) => listChanges(client, session, request, signal),
    getEvent: (eventId, signal) => getEvent(client, session, eventId, signal),
    findEvent: (key, signal) => getEvent(client, session, key.googleEventId, signal, 'find_event'),
    createEvent: (draft, signal) => createEvent(client, session, draft, signal),
    updateEvent: (target, draft, signal) => updateEvent(client, session, target, draft, signal),
    deleteEvent: (target, signal) => deleteEvent(client, session, target, signal),
    describeCalendar: (signal) => describeCalendar(client, session, signal),
    openChannel: (request, signal) => openChannel(client, session, request, signal),
    renewChannel,
    closeChannel: (channel, signal) => closeChannel(client, session, channel, signal),
    listChannels: async () => null,
  };
}

/** By way of `events.list`, which names the zone: `calendars.get` would take a wider scope. */
async function describeCalendar(
  client: calendar_v3.Calendar,
  session: CalendarSession,
  signal: AbortSignal,
): Promise<CalendarDescription> {
  const list = await callGoogle('describe_calendar', session, signal, (options) =>
    client.events.list({ calendarId: session.calendarId, maxResults: 1, fields: 'timeZone' }, options),
  );
  return { calendarId: session.calendarId, timeZone: list.timeZone ?? null };
}
