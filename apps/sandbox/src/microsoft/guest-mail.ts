import type { CalendarStore } from '../calendars/calendar-store.ts';
import { type EventRow, rowId } from '../calendars/event-row.ts';
import type { Mail } from '../mail.ts';
import type { SandboxState } from '../state.ts';

/**
 * Guests are told of everything the organizer does; there is no way to ask for silence.
 * See learn.microsoft.com/graph/api/event-cancel.
 */
export function mailGuests(state: SandboxState, store: CalendarStore, row: EventRow, occasion: Mail['occasion']): void {
  const { ownerEmail, id: calendar } = store.details;
  const { attendees, organizer } = row.event.content;
  if (organizer !== null) return;
  const guests = attendees.filter(({ email }) => email !== ownerEmail);
  state.mail.send({
    at: new Date(state.clock.now()).toISOString(),
    calendar,
    event_id: rowId(row),
    occasion,
    recipient_count: guests.length,
  });
}
