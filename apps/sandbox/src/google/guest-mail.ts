import type { CalendarStore } from '../calendars/calendar-store.ts';
import { type EventRow, rowId } from '../calendars/event-row.ts';
import type { Call } from '../endpoint.ts';
import type { Mail } from '../mail.ts';
import type { SandboxState } from '../state.ts';
import { invalid } from './errors.ts';

/**
 * `sendUpdates` is all, externalOnly or none; by default nobody is told.
 * See developers.google.com/workspace/calendar/api/v3/reference/events/insert.
 */
export function mailGuests(
  { state, call, store }: { state: SandboxState; call: Call; store: CalendarStore },
  row: EventRow,
  occasion: Mail['occasion'],
): void {
  const wish = call.query.get('sendUpdates') ?? (call.query.get('sendNotifications') === 'true' ? 'all' : 'none');
  if (!['all', 'externalOnly', 'none'].includes(wish)) throw invalid('Invalid value for: sendUpdates', 'sendUpdates');
  if (wish === 'none') return;
  const { ownerEmail, id: calendar } = store.details;
  const guests = row.event.content.attendees.filter(({ email }) => email !== ownerEmail);
  const told = wish === 'all' ? guests : guests.filter(({ email }) => !/@(gmail|googlemail)\.com$/.test(email));
  state.mail.send({
    at: new Date(state.clock.now()).toISOString(),
    calendar,
    event_id: rowId(row),
    occasion,
    recipient_count: told.length,
  });
}
