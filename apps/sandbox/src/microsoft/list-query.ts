/** `$select`, `$expand`, `$filter`, `$top` and `$skip` of the lists that know them. */
import type { StoredEvent } from '../calendars/calendar-event.ts';
import { type EventRow, rowTiming } from '../calendars/event-row.ts';
import { parseInstant, parseWall } from '../calendars/zone-time.ts';
import type { Call } from '../endpoint.ts';
import { invalidQuery, refuse } from './errors.ts';
import { showRow, type View } from './event-resource.ts';
import { readExpand, readPropertyFilter, showProperties } from './extended-properties.ts';
import type { Resource } from './resource.ts';

const DEFAULT_TOP = 10;
const MOST = 1000;

export interface Projection {
  readonly select: ReadonlySet<string> | null;
  readonly properties: readonly string[] | null;
}

export function readProjection(call: Call): Projection {
  const select = call.query.get('$select');
  const names = select === null || select === '' ? null : new Set(select.split(',').map((name) => name.trim()));
  return { select: names, properties: readExpand(call) };
}

/** The id and odata annotations come along whatever was selected. */
export function project(row: EventRow, view: View, { select, properties }: Projection): Resource {
  const whole = showRow(row, view);
  const extended = properties === null ? {} : showProperties(row.event.content, properties);
  if (select === null) return { ...whole, ...extended };
  for (const name of select) if (!(name in whole)) throw unknownProperty(name);
  const chosen = Object.entries(whole).filter(([name]) => name === 'id' || name.startsWith('@') || select.has(name));
  return { ...Object.fromEntries(chosen), ...extended };
}

const unknownProperty = (name: string) =>
  refuse(400, 'RequestBroker--ParseUri', `Could not find a property named '${name}' on type 'Microsoft.Graph.Event'.`);

export interface Paging {
  readonly top: number;
  readonly skip: number;
}

export function readPaging(call: Call, preferred: number | null): Paging {
  const top = readCount(call, '$top') ?? preferred ?? DEFAULT_TOP;
  if (top < 1 || top > MOST) throw invalidQuery(`The limit of ${MOST} for Top query has been exceeded.`);
  return { top, skip: readCount(call, '$skip') ?? 0 };
}

function readCount(call: Call, name: string): number | null {
  const text = call.query.get(name);
  if (text === null) return null;
  if (!/^\d{1,7}$/.test(text)) throw invalidQuery(`The query option '${name}' must be a whole number.`);
  return Number(text);
}

/** The same address, further on. */
export function nextLink(call: Call, { top, skip }: Paging): string {
  const query = new URLSearchParams(call.query);
  query.set('$top', String(top));
  query.set('$skip', String(skip + top));
  return `${call.origin}${call.path}?${query}`;
}

/** A page's number, for faults on order. */
export function pageOf(call: Call): number {
  const [top, skip] = [Number(call.query.get('$top') ?? DEFAULT_TOP), Number(call.query.get('$skip') ?? 0)];
  return top > 0 ? Math.floor(skip / top) + 1 : 1;
}

/** What of `$filter` the sandbox knows: extended properties, subject, iCalUId and bounds of start and end. */
export function readFilter(call: Call): ((row: EventRow) => boolean) | null {
  const filter = call.query.get('$filter');
  if (filter === null || filter === '') return null;
  const byProperty = readPropertyFilter(filter);
  if (byProperty !== null) return ({ event }) => byProperty(event.content);
  const tests = filter.split(/ and /i).map((clause) => readClause(clause.trim()));
  return (row) => tests.every((test) => test(row));
}

const TEXTS: Readonly<Record<string, (event: StoredEvent) => string>> = {
  subject: ({ content }) => content.title ?? '',
  iCalUId: ({ icalUid }) => icalUid,
  uid: ({ icalUid }) => icalUid,
};

function readClause(clause: string): (row: EventRow) => boolean {
  const text = /^(\w+) eq '((?:[^']|'')*)'$/.exec(clause);
  const read = TEXTS[text?.[1] ?? ''];
  if (text !== null && read !== undefined) {
    const wanted = (text[2] ?? '').replaceAll("''", "'");
    return ({ event }) => read(event) === wanted;
  }
  const bound = /^(start|end)\/dateTime (ge|gt|le|lt) '([^']+)'$/.exec(clause);
  const ms = bound === null ? null : (parseInstant(bound[3] ?? '') ?? parseWall(bound[3] ?? ''));
  if (bound === null || ms === null) throw invalidQuery('Invalid filter clause');
  const [, side, comparison] = bound;
  return (row) => compare(side === 'start' ? rowTiming(row).startMs : rowTiming(row).endMs, comparison ?? '', ms);
}

function compare(left: number, comparison: string, right: number): boolean {
  switch (comparison) {
    case 'ge':
      return left >= right;
    case 'gt':
      return left > right;
    case 'le':
      return left <= right;
    default:
      return left < right;
  }
}

/** Bounds use the offset in the value, UTC if there is none, and ignore `outlook.timezone`. */
export function readWindow(call: Call): { fromMs: number; toMs: number } {
  const [fromMs, toMs] = [readBound(call, 'startDateTime'), readBound(call, 'endDateTime')];
  if (toMs <= fromMs) throw refuse(400, 'ErrorInvalidParameter', 'The end of the window must be after its start.');
  // Longer ranges are refused.
  if (toMs - fromMs > 1825 * 86_400_000) {
    throw refuse(400, 'ErrorInvalidParameter', 'The range of a calendar view is limited to 1825 days.');
  }
  return { fromMs, toMs };
}

function readBound(call: Call, name: string): number {
  const text = call.query.get(name);
  if (text === null) {
    throw refuse(
      400,
      'ErrorInvalidParameter',
      'This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.',
    );
  }
  const ms = parseInstant(text) ?? parseWall(text);
  if (ms === null) throw refuse(400, 'ErrorInvalidParameter', `The value of the parameter '${name}' is invalid.`);
  return ms;
}
