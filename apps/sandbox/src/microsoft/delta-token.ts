/** What next and delta links carry: opaque to clients. */
import { z } from 'zod';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import type { Call } from '../endpoint.ts';
import { openOpaque } from '../opaque.ts';
import { invalidQuery, refuse, syncStateNotFound } from './errors.ts';
import { readWindow } from './list-query.ts';

const tokenShape = z.object({
  kind: z.enum(['skip', 'delta']),
  calendar: z.string(),
  epoch: z.string(),
  /** The window, frozen at the first call. */
  fromMs: z.number(),
  toMs: z.number(),
  /** Change number that the round goes on from; null in a first round. */
  after: z.number().nullable(),
  upTo: z.number(),
  /** Where the page begins: an ordinal in a first round, a change number in others. */
  position: z.number(),
  page: z.number(),
  wasEmpty: z.boolean(),
  issuedMs: z.number(),
});

export type DeltaToken = z.output<typeof tokenShape>;

/** The place in the feed that a request asks for. */
export function readPlace(
  call: Call,
  store: CalendarStore,
  now: { sequence: number; ms: number },
  life: number | null,
) {
  refuseOptions(call);
  const sealed = call.query.get('$skiptoken') ?? call.query.get('$deltatoken');
  if (sealed === null) return firstPlace(call, store, now);
  const token = openOpaque(sealed, tokenShape);
  if (token === null || (token.kind === 'skip') !== call.query.has('$skiptoken')) {
    throw refuse(400, 'ErrorInvalidUrlQueryFilter', 'Badly formed token.');
  }
  if (token.calendar !== calendarKey(store) || token.epoch !== store.cursorEpoch) throw syncStateNotFound();
  if (life !== null && now.ms - token.issuedMs > life * 1000) throw syncStateNotFound();
  if (token.kind === 'skip') return token;
  // A lag that was set meanwhile does not take back what was shown.
  const upTo = Math.max(now.sequence, token.upTo);
  return { ...token, after: token.upTo, upTo, position: token.upTo + 1, page: 1, wasEmpty: false };
}

function firstPlace(call: Call, store: CalendarStore, now: { sequence: number; ms: number }): DeltaToken {
  return {
    kind: 'skip',
    calendar: calendarKey(store),
    epoch: store.cursorEpoch,
    ...readWindow(call),
    after: null,
    upTo: now.sequence,
    position: 0,
    page: 1,
    wasEmpty: false,
    issuedMs: now.ms,
  };
}

const UNSUPPORTED = ['$orderby', '$filter', '$select', '$expand', '$search', '$top'];

/** None of these works here. */
function refuseOptions(call: Call): void {
  if (!UNSUPPORTED.some((name) => call.query.has(name))) return;
  throw invalidQuery(
    `The following parameters are not supported with change tracking over the 'CalendarView' resource: '${UNSUPPORTED.join(', ')}'.`,
  );
}

function calendarKey({ details }: CalendarStore): string {
  return `${details.ownerEmail} ${details.id}`;
}

/** Which page a link leads to, for faults on order. */
export function deltaPageOf(call: Call): number {
  const sealed = call.query.get('$skiptoken');
  return (sealed === null ? null : openOpaque(sealed, tokenShape))?.page ?? 1;
}
