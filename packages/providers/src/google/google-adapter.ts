import { calendar_v3 } from '@googleapis/calendar';
import type { CalendarAdapter, CalendarPort, CalendarSession } from '../contract/index.ts';
import { closeChannel, openChannel, renewChannel } from './channels.ts';
import { openGoogleCalendar } from './google-calendar.ts';
import { listChanges } from './list-changes.ts';
import { type GoogleApiOptions, resolveApiOptions } from './options.ts';
import { findEvent, getEvent } from './read-event.ts';
import { createEvent, deleteEvent, updateEvent } from './write-event.ts';

/**
 * Google Calendar v3 behind the calendar port. One adapter serves all connections of a process; each call carries the
 * token of its own. No timeouts, retries or limits here: those are policies around the port.
 */
export function createGoogleAdapter(options: GoogleApiOptions = {}): CalendarAdapter {
  const resolved = resolveApiOptions(options);
  const client = new calendar_v3.Calendar({});
  return {
    calendarProvider: 'google',
    open: (session: CalendarSession): CalendarPort => {
      const calendar = openGoogleCalendar(client, session, resolved);
      return {
        calendarProvider: 'google',
        listChanges: (request, signal) => listChanges(calendar, request, signal),
        getEvent: (eventId, signal) => getEvent(calendar, eventId, signal),
        findEvent: (key, signal) => findEvent(calendar, key.googleEventId, signal),
        createEvent: (draft, signal) => createEvent(calendar, draft, signal),
        updateEvent: (target, draft, signal) => updateEvent(calendar, target, draft, signal),
        deleteEvent: (target, signal) => deleteEvent(calendar, target, signal),
        openChannel: (request, signal) => openChannel(calendar, request, signal),
        renewChannel,
        closeChannel: (channel, signal) => closeChannel(calendar, channel, signal),
        listChannels: async () => null,
      };
    },
  };
}
