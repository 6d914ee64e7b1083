import { isUuid } from '@bookiji/db';

/**
 * Kill switches are on unless an operator turned them off: `provider:google`, `queue:calendar-retry`,
 * `connection:<id>`. Shadow mode is the one that is off unless turned on.
 */
export const SHADOW_SWITCH = 'shadow';

export type SwitchKind = 'provider' | 'queue' | 'connection';

export function switchName(kind: SwitchKind, subject: string): string {
  return `${kind}:${subject.toLowerCase()}`;
}

/**
 * The name under which a switch is stored; null for what names none. Kind and subject may be written in upper case.
 *
 * @param queues those that may be switched off. Pure.
 */
export function parseSwitchName(written: string, queues: readonly string[]): string | null {
  if (written === SHADOW_SWITCH) return written;
  const [kind, subject = ''] = written.toLowerCase().split(/:(.*)/s);
  const isKnown =
    (kind === 'provider' && (subject === 'google' || subject === 'microsoft')) ||
    (kind === 'queue' && queues.includes(subject)) ||
    (kind === 'connection' && isUuid(subject));
  return isKnown ? `${kind}:${subject}` : null;
}

/** The part after the colon of every switched-off name of this kind. */
export function findSwitchedOff(kind: SwitchKind, switches: ReadonlyMap<string, boolean>): string[] {
  const prefix = `${kind}:`;
  return [...switches].flatMap(([name, isOn]) => (!isOn && name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
}
