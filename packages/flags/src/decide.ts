import type { FlagCeiling, FlagName } from './flag-names.ts';

/** Switches by name; a missing one follows the environment. Names that are no flags are kill switches. */
export type Switches = ReadonlyMap<string, boolean>;

/** Effective = the environment says so and nobody switched it off: an operator narrows, never widens. */
export function isFlagOn(name: FlagName, ceiling: FlagCeiling, switches: Switches): boolean {
  return ceiling.flags[name] && switches.get(name) !== false;
}

/** Whether an id may be worked on: it must stand in every list that is not empty. Unknown ids are judged as absent. */
export function isAllowed(
  subject: { readonly providerId?: string; readonly connectionId?: string },
  ceiling: FlagCeiling,
): boolean {
  return isListed(subject.providerId, ceiling.providerIds) && isListed(subject.connectionId, ceiling.connectionIds);
}

function isListed(id: string | undefined, list: readonly string[] | null): boolean {
  return list === null || id === undefined || list.includes(id.toLowerCase());
}
