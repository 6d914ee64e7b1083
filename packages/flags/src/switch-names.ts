/**
 * Kill switches are on unless an operator turned them off: `provider:google`, `queue:calendar-retry`,
 * `connection:<id>`. Shadow mode is the one that is off unless turned on.
 */
export const SHADOW_SWITCH = 'shadow';

export type SwitchKind = 'provider' | 'queue' | 'connection';

export function switchName(kind: SwitchKind, subject: string): string {
  return `${kind}:${subject.toLowerCase()}`;
}

/** The part after the colon of every switched-off name of this kind. */
export function findSwitchedOff(kind: SwitchKind, switches: ReadonlyMap<string, boolean>): string[] {
  const prefix = `${kind}:`;
  return [...switches].flatMap(([name, isOn]) => (!isOn && name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
}
