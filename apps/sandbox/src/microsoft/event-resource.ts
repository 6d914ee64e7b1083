/** An event as Graph shows it. learn.microsoft.com/graph/api/resources/event. */
import type { Attendee, EventContent, ResponseStatus, StoredEvent } from '../calendars/calendar-event.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { type EventRow, rowId, rowTiming } from '../calendars/event-row.ts';
import { stampText } from '../calendars/recurrence-rule.ts';
import type { Timing } from '../calendars/timing.ts';
import { toWall, wallText } from '../calendars/zone-time.ts';
import { etagOf } from '../history.ts';
import { showItemId } from './item-ids.ts';
import type { Preferences } from './preferences.ts';
import { showRecurrence } from './recurrence.ts';
import type { Resource } from './resource.ts';
import { showZone } from './zones.ts';

export interface View {
  readonly store: CalendarStore;
  readonly preferences: Preferences;
}

export function changeKey(event: StoredEvent): string {
  return Buffer.from(`key:${etagOf(event)}`).toString('base64');
}

export function etag(event: StoredEvent): string {
  return `W/"${changeKey(event)}"`;
}

export function showRowId(row: EventRow, { preferences }: Pick<View, 'preferences'>): string {
  return showItemId(rowId(row), row.event.folderMoves, preferences.idForm);
}

/** In the feed an occurrence carries hardly more than its dates; the rest is its master's. */
export function showBareOccurrence(row: EventRow, view: View): Resource {
  return {
    '@odata.type': '#microsoft.graph.event',
    '@odata.etag': etag(row.event),
    id: showRowId(row, view),
    type: 'occurrence',
    seriesMasterId: seriesMasterId(row, view),
    ...showTiming(rowTiming(row), view),
  };
}

export function showRow(row: EventRow, view: View): Resource {
  const { event } = row;
  const { content } = event;
  const timing = rowTiming(row);
  return {
    '@odata.etag': etag(event),
    id: showRowId(row, view),
    createdDateTime: ticks(event.createdMs),
    lastModifiedDateTime: ticks(event.updatedMs),
    changeKey: changeKey(event),
    categories: [],
    transactionId: event.transactionId,
    ...originalZones(timing, view),
    iCalUId: icalUid(row),
    uid: event.icalUid,
    reminderMinutesBeforeStart: 15,
    isReminderOn: true,
    hasAttachments: false,
    subject: content.title ?? '',
    bodyPreview: (content.description ?? '').slice(0, 255),
    importance: 'normal',
    sensitivity: sensitivity(content),
    isAllDay: timing.isAllDay,
    isCancelled: false,
    isOrganizer: content.organizer === null,
    responseRequested: true,
    seriesMasterId: seriesMasterId(row, view),
    showAs: showAs(content),
    type: typeOf(row),
    webLink: `https://outlook.office365.com/owa/?itemid=${encodeURIComponent(showRowId(row, view))}&path=/calendar/item`,
    onlineMeetingUrl: null,
    isOnlineMeeting: false,
    onlineMeetingProvider: 'unknown',
    allowNewTimeProposals: true,
    occurrenceId: null,
    isDraft: false,
    hideAttendees: false,
    ...people(content, view),
    body: showBody(content.description ?? '', view.preferences.wantsTextBody),
    ...showTiming(timing, view),
    location: { displayName: content.location ?? '', locationType: 'default', uniqueIdType: 'unknown' },
    locations: [],
    recurrence: recurrenceOf(row, view),
    onlineMeeting: null,
    ...content.extras,
  };
}

/** Local times without an offset. An all-day event is midnight whatever zone was asked for. */
export function showTiming(
  timing: Timing,
  { preferences }: Pick<View, 'preferences'>,
): { start: Resource; end: Resource } {
  const { zone, zoneName: timeZone } = preferences;
  const at = (wallMs: number) => ({ dateTime: `${wallText(wallMs)}.0000000`, timeZone });
  if (timing.startDay !== null && timing.endDay !== null) return { start: at(timing.startDay), end: at(timing.endDay) };
  return { start: at(toWall(zone, timing.startMs)), end: at(toWall(zone, timing.endMs)) };
}

function originalZones(timing: Timing, { store }: View): Resource {
  const { timeZone } = store.details;
  return {
    originalStartTimeZone: showZone(timing.startZone ?? timeZone),
    originalEndTimeZone: showZone(timing.endZone ?? timeZone),
  };
}

/** Different for every occurrence of a series. */
function icalUid(row: EventRow): string {
  const start = row.occurrence?.originalStart ?? row.event.originalStart;
  return start === null ? row.event.icalUid : `${row.event.icalUid}-${stampText(start, false)}`;
}

function seriesMasterId(row: EventRow, { preferences }: View): string | null {
  const master = row.occurrence === null ? row.event.master : row.event;
  return master === null ? null : showItemId(master.id, master.folderMoves, preferences.idForm);
}

function typeOf(row: EventRow): string {
  if (row.occurrence !== null) return 'occurrence';
  if (row.event.master !== null) return 'exception';
  return row.event.content.rule === null ? 'singleInstance' : 'seriesMaster';
}

function recurrenceOf(row: EventRow, { store }: View): Resource | null {
  const { rule, timing } = row.event.content;
  if (rule === null || row.occurrence !== null) return null;
  return showRecurrence(rule, timing, store.details.timeZone);
}

function showAs(content: EventContent): string {
  return content.isTentative && content.showAs === 'busy' ? 'tentative' : content.showAs;
}

function sensitivity({ visibility }: EventContent): string {
  return ['personal', 'private', 'confidential'].find((name) => name === visibility) ?? 'normal';
}

const RESPONSES: Readonly<Record<ResponseStatus, string>> = {
  needsAction: 'notResponded',
  declined: 'declined',
  tentative: 'tentativelyAccepted',
  accepted: 'accepted',
};
const NEVER = '0001-01-01T00:00:00Z';

function people(content: EventContent, { store }: View): Resource {
  const owner = store.details.ownerEmail;
  const organizer = content.organizer ?? { email: owner, name: null };
  const own = content.organizer === null ? 'organizer' : RESPONSES[content.ownResponse ?? 'needsAction'];
  return {
    responseStatus: { response: own, time: NEVER },
    attendees: content.attendees.map(showAttendee),
    organizer: { emailAddress: { name: organizer.name ?? organizer.email, address: organizer.email } },
  };
}

function showAttendee({ email, name, response, isOptional }: Attendee): Resource {
  return {
    type: isOptional ? 'optional' : 'required',
    status: { response: response === 'needsAction' ? 'none' : RESPONSES[response], time: NEVER },
    emailAddress: { name: name ?? email, address: email },
  };
}

function showBody(text: string, asText: boolean): Resource {
  if (asText) return { contentType: 'text', content: text };
  const escaped = text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return { contentType: 'html', content: text === '' ? '' : `<html><body><div>${escaped}</div></body></html>` };
}

function ticks(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '0000Z');
}
