/**
 * Zone names as Outlook spells them: Windows names, beside the IANA ones.
 * See learn.microsoft.com/graph/api/resources/datetimetimezone.
 */
import { findIana, findWindows } from 'windows-iana';
import { isZone } from '../calendars/zone-time.ts';

const known = new Map<string, string>();

/** @param name Windows or IANA. @returns the IANA name; null when it is neither. */
export function readZone(name: string): string | null {
  const remembered = known.get(name);
  if (remembered !== undefined) return remembered;
  const candidates = [...findIana(name, '001'), ...findIana(name), name];
  const zone = candidates.find(isZone) ?? null;
  if (zone !== null) known.set(name, zone);
  return zone;
}

const windowsNames = new Map<string, string>();

/** The Windows name of an IANA zone; the IANA name where Windows has none. */
export function showZone(zone: string): string {
  let name = windowsNames.get(zone);
  if (name === undefined) {
    name = findWindows(zone)[0] ?? zone;
    windowsNames.set(zone, name);
  }
  return name;
}
