/**
 * Single-value extended properties: written, brought along and searched for.
 * See learn.microsoft.com/graph/api/resources/extended-properties-overview.
 */

import type { EventContent } from '../calendars/calendar-event.ts';
import type { Call } from '../endpoint.ts';
import { invalidProperty, invalidQuery } from './errors.ts';
import type { Resource } from './resource.ts';

const PROPERTY_ID =
  /^(String|Boolean|Integer|Long|Double|SystemTime|CLSID|Binary|Currency|Float|Short) \{([0-9a-f-]{36})\} (Name .+|Id 0x[0-9a-f]+)$/i;

/** Adds to what the event has, property by property. */
export function mergeProperties(before: EventContent['privateProperties'], value: unknown): Record<string, string> {
  if (!Array.isArray(value)) throw invalidProperty('singleValueExtendedProperties must be a list.');
  const merged = { ...before };
  for (const one of value as { id?: unknown; value?: unknown }[]) {
    if (typeof one?.id !== 'string' || !PROPERTY_ID.test(one.id))
      throw invalidProperty('PropertyId values are invalid.');
    if (typeof one.value !== 'string') throw invalidProperty('The value of an extended property must be a string.');
    const id = one.id;
    const same = Object.keys(merged).find((known) => isSameId(known, id));
    merged[same ?? id] = one.value;
  }
  return merged;
}

const ID_LIST = /^id eq '((?:[^']|'')+)'(?: or id eq '(?:[^']|'')+')*$/i;

/**
 * `$expand=singleValueExtendedProperties($filter=id eq '…' or id eq '…')`. @returns the ids; null when not asked for.
 */
export function readExpand(call: Call): string[] | null {
  const expand = call.query.get('$expand');
  if (expand === null || expand === '') return null;
  const filter = /^singleValueExtendedProperties\(\$filter=(.+)\)$/i.exec(expand.trim())?.[1]?.trim();
  if (filter === undefined || !ID_LIST.test(filter)) throw invalidQuery('The $expand is not supported here.');
  return [...filter.matchAll(/id eq '((?:[^']|'')+)'/gi)].map((match) => unquote(match[1] ?? ''));
}

/** Graph leaves the list out where none of the wanted properties is set, and writes the GUID in small letters. */
export function showProperties(content: EventContent, wanted: readonly string[]): Resource {
  const list = Object.entries(content.privateProperties)
    .filter(([id]) => wanted.some((one) => isSameId(one, id)))
    .map(([id, value]) => ({ id: id.replace(/\{[^}]*\}/, (guid) => guid.toLowerCase()), value }));
  return list.length === 0 ? {} : { singleValueExtendedProperties: list };
}

const PROPERTY_FILTER =
  /^singleValueExtendedProperties\/any\((\w+):\s*\1\/id eq '((?:[^']|'')+)' and \1\/value eq '((?:[^']|'')*)'\)$/i;

/** @returns a test, or null when the filter is about something else. */
export function readPropertyFilter(filter: string): ((content: EventContent) => boolean) | null {
  const match = PROPERTY_FILTER.exec(filter.trim());
  if (match === null) return null;
  const [id, value] = [unquote(match[2] ?? ''), unquote(match[3] ?? '')];
  return ({ privateProperties }) =>
    Object.entries(privateProperties).some(([known, held]) => isSameId(known, id) && held === value);
}

function isSameId(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

function unquote(text: string): string {
  return text.replaceAll("''", "'");
}
