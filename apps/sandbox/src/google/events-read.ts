/**
 * `events.get`. It returns cancelled events too:
 * developers.google.com/workspace/calendar/api/v3/reference/events/get.
 */
import { type Answer, ok } from '../answer.ts';
import type { Call, Caller } from '../endpoint.ts';
import { etag, showRow, type View } from './event-resource.ts';
import { applyMask } from './fields-mask.ts';
import { findCalendar, findEvent } from './find-event.ts';
import { readView } from './list-query.ts';
import { needScope } from './protocol.ts';

export function getEvent(call: Call, caller: Caller): Answer {
  needScope(caller, 'read');
  const store = findCalendar(call, caller);
  const row = findEvent(call, store);
  const version = etag(row.event);
  if (call.header('if-none-match') === version) return { status: 304, headers: { etag: version } };
  const view: View = readView(call.query, store);
  return ok(applyMask(call.query.get('fields'), showRow(row, view)), { etag: version });
}
