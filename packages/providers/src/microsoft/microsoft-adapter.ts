import type { CalendarAdapter, CalendarPort, CalendarSession } from '../contract/index.ts';
import { closeChannel, listChannels, openChannel, renewChannel } from './channels.ts';
import { openGraph } from './graph-client.ts';
import { openFeed } from './list-changes.ts';
import { openMailboxZone } from './mailbox-zone.ts';
import { type MicrosoftOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { findEvent, getEvent } from './read-event.ts';
import { createEvent, deleteEvent, updateEvent } from './write-event.ts';

/**
 * Outlook calendars through Microsoft Graph.
 *
 * A port remembers the masters and series of the round it reads and the zone of its mailbox, so one port serves one
 * round after another but never two at once.
 */
export function createMicrosoftAdapter(options: MicrosoftOptions): CalendarAdapter {
  const resolved = resolveOptions(options);
  return { calendarProvider: 'microsoft', open: (session) => openCalendar(resolved, session) };
}

function openCalendar(options: ResolvedOptions, session: CalendarSession): CalendarPort {
  const { calendarId } = session;
  const graph = openGraph(options, session);
  const mailboxZone = openMailboxZone(graph);
  const reader = { graph, mailboxZone, calendarId };
  const { graphBaseUrl, pageSize } = options;
  return {
    calendarProvider: 'microsoft',
    listChanges: openFeed({ ...reader, graphBaseUrl, pageSize }),
    getEvent: (eventId, signal) => getEvent(reader, eventId, signal),
    findEvent: (key, signal) => findEvent(reader, key, signal),
    createEvent: (draft, signal) => createEvent(graph, calendarId, draft, signal),
    updateEvent: (target, draft, signal) => updateEvent(graph, target, draft, signal),
    deleteEvent: (target, signal) => deleteEvent(graph, target, signal),
    openChannel: (request, signal) => openChannel(graph, calendarId, request, options.now(), signal),
    renewChannel: (channel, expiresAt, signal) => renewChannel(graph, channel, expiresAt, options.now(), signal),
    closeChannel: (channel, signal) => closeChannel(graph, channel, signal),
    listChannels: (signal) => listChannels(graph, signal),
  };
}
