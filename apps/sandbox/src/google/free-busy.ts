/** `freeBusy.query`. developers.google.com/workspace/calendar/api/v3/reference/freebusy/query. */
import { type Answer, ok } from '../answer.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { calendarOf } from '../calendars/directory.ts';
import { rowsBetween, rowTiming } from '../calendars/event-row.ts';
import { DAY_MS, parseInstant } from '../calendars/zone-time.ts';
import type { Call, Caller } from '../endpoint.ts';
import { refuse } from './errors.ts';
import { type Body, readBody } from './event-input.ts';
import { applyMask } from './fields-mask.ts';
import { needScope } from './protocol.ts';

const LONGEST_MS = 91 * DAY_MS;
const MOST_CALENDARS = 50;

interface Span {
  fromMs: number;
  toMs: number;
}

export function queryFreeBusy(call: Call, caller: Caller): Answer {
  needScope(caller, 'freeBusy');
  const body = readBody(call.text);
  const span = readSpan(body);
  const ids = readIds(body);
  const calendars: Record<string, unknown> = {};
  ids.forEach((id, index) => {
    calendars[id] = answerFor(id, index, caller, span);
  });
  const [timeMin, timeMax] = [new Date(span.fromMs).toISOString(), new Date(span.toMs).toISOString()];
  return ok(applyMask(call.query.get('fields'), { kind: 'calendar#freeBusy', timeMin, timeMax, calendars }));
}

function readSpan(body: Body): Span {
  const fromMs = typeof body.timeMin === 'string' ? parseInstant(body.timeMin) : null;
  const toMs = typeof body.timeMax === 'string' ? parseInstant(body.timeMax) : null;
  if (fromMs === null || toMs === null) throw refuse(400, 'required', 'Missing time range.');
  if (toMs <= fromMs) {
    throw refuse(400, 'timeRangeEmpty', 'The specified time range is empty.', { domain: 'calendar' });
  }
  if (toMs - fromMs > LONGEST_MS) {
    throw refuse(400, 'timeRangeTooLong', 'The requested time range is too long.', { domain: 'calendar' });
  }
  return { fromMs, toMs };
}

function readIds(body: Body): string[] {
  if (!Array.isArray(body.items)) return [];
  return body.items.map((item: Body | null) => {
    if (typeof item?.id !== 'string') throw refuse(400, 'required', 'Missing calendar id.');
    return item.id;
  });
}

/** A calendar that cannot be read is an error inside a 200, with an empty list beside it that does not mean free. */
function answerFor(id: string, index: number, caller: Caller, span: Span) {
  const failed = (reason: string) => ({ errors: [{ domain: 'global', reason }], busy: [] });
  if (index >= MOST_CALENDARS) return failed('tooManyCalendarsRequested');
  const store = calendarOf(caller.account, id);
  return store === undefined ? failed('notFound') : { busy: busySpans(store, span).map(showSpan) };
}

function busySpans(store: CalendarStore, span: Span): Span[] {
  const found: Span[] = [];
  for (const row of rowsBetween(store, span.fromMs, span.toMs)) {
    const { showAs, ownResponse } = row.event.content;
    const { startMs, endMs } = rowTiming(row);
    if (showAs !== 'free' && ownResponse !== 'declined') found.push({ fromMs: startMs, toMs: endMs });
  }
  return merge(found.map(({ fromMs, toMs }) => clip(fromMs, toMs, span)));
}

function clip(fromMs: number, toMs: number, span: Span): Span {
  return { fromMs: Math.max(fromMs, span.fromMs), toMs: Math.min(toMs, span.toMs) };
}

function merge(spans: Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.sort((left, right) => left.fromMs - right.fromMs)) {
    const last = merged.at(-1);
    if (last !== undefined && span.fromMs <= last.toMs) last.toMs = Math.max(last.toMs, span.toMs);
    else merged.push({ ...span });
  }
  return merged;
}

function showSpan({ fromMs, toMs }: Span) {
  const text = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
  return { start: text(fromMs), end: text(toMs) };
}
