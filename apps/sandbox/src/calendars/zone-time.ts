/**
 * Between instants and the clocks on the wall. Offsets are remembered by quarter of an hour, the finest step at which
 * any zone ever changes, because a calendar of 100,000 events asks for them over and over.
 */
import { IANAZone } from 'luxon';

const QUARTER_MS = 900_000;
export const DAY_MS = 86_400_000;
const zones = new Map<string, { readonly zone: IANAZone; readonly offsets: Map<number, number> } | null>();

function zoneOf(name: string) {
  let known = zones.get(name);
  if (known === undefined) {
    known = IANAZone.isValidZone(name) ? { zone: IANAZone.create(name), offsets: new Map() } : null;
    zones.set(name, known);
  }
  return known;
}

export function isZone(name: string): boolean {
  return zoneOf(name) !== null;
}

/** Minutes east of UTC. An unknown zone is a broken invariant: names are checked where they enter. */
export function offsetMinutes(zoneName: string, instantMs: number): number {
  if (zoneName === 'UTC') return 0;
  const known = zoneOf(zoneName);
  if (known === null) throw new Error(`no such zone: ${zoneName}`);
  const quarter = Math.floor(instantMs / QUARTER_MS);
  let offset = known.offsets.get(quarter);
  if (offset === undefined) {
    offset = known.zone.offset(quarter * QUARTER_MS);
    if (known.offsets.size > 200_000) known.offsets.clear();
    known.offsets.set(quarter, offset);
  }
  return offset;
}

/** What the wall shows, as if it were UTC. */
export function toWall(zoneName: string, instantMs: number): number {
  return instantMs + offsetMinutes(zoneName, instantMs) * 60_000;
}

/** The instant at which the wall shows `wallMs`; the earlier one when it does so twice, moved on when it never does. */
export function fromWall(zoneName: string, wallMs: number): number {
  const before = offsetMinutes(zoneName, wallMs - DAY_MS) * 60_000;
  const after = offsetMinutes(zoneName, wallMs + DAY_MS) * 60_000;
  for (const offset of [before, after]) {
    const instant = wallMs - offset;
    if (offsetMinutes(zoneName, instant) * 60_000 === offset) return instant;
  }
  return wallMs - before;
}

/** `2026-11-24T09:00:00`, without a zone. */
export function wallText(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 19);
}

/** `2026-11-24` */
export function dateText(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}

/** `2026-11-24T09:00:00-05:00`, `…Z` for UTC. */
export function offsetText(zoneName: string, instantMs: number): string {
  const offset = offsetMinutes(zoneName, instantMs);
  const text = wallText(instantMs + offset * 60_000);
  if (offset === 0) return `${text}Z`;
  const size = Math.abs(offset);
  const hours = String(Math.floor(size / 60)).padStart(2, '0');
  return `${text}${offset < 0 ? '-' : '+'}${hours}:${String(size % 60).padStart(2, '0')}`;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** Midnight of a calendar date as wall time; null when it is no date. */
export function parseDate(text: string): number | null {
  if (!DATE.test(text)) return null;
  const wallMs = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(wallMs) || dateText(wallMs) !== text ? null : wallMs;
}

const LOCAL = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?$/;
const WITH_OFFSET = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})$/;

/** RFC 3339 with an offset; null when it is not that. */
export function parseInstant(text: string): number | null {
  if (!WITH_OFFSET.test(text)) return null;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? null : instant;
}

/** A local time without an offset, as wall time; null when it is not that. */
export function parseWall(text: string): number | null {
  if (!LOCAL.test(text)) return null;
  const wallMs = Date.parse(`${text.slice(0, 23)}Z`);
  return Number.isNaN(wallMs) ? null : wallMs;
}
